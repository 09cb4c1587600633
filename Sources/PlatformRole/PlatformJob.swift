import Exchange
import Faults
import Roles
import Wire

package enum PlatformJob {
    /// Opens a job on the platform's own data; throws what is wrong with either.
    package static func open(_ request: RoleRequest, _ secrets: JobSecrets) throws(Fault) -> any RoleMachine {
        let context = try JobContext(request, role: .platform)
        let data = try OwnData.open(request.dataset, specification: request.specification, role: .platform, model: request.model)
        return DataParty(context: context, side: PlatformSide(context: context, data: data), secrets: secrets)
    }

    /// See `SubjectSpelling`.
    package static func spellings(of identifier: String) -> Set<String> { SubjectSpelling.all(of: identifier) }
}
