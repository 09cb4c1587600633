import Authorisation
import Exchange
import Faults
import Jobs
import Roles
import Tables
import Wire

package enum PlatformJob {
    /// Opens a job on the platform's own data; throws what is wrong with either.
    package static func open(_ request: RoleRequest, _ secrets: JobSecrets) throws(Fault) -> any RoleMachine {
        let context = try JobContext(request, role: .platform)
        var data = try OwnData.open(request.dataset, specification: request.specification, role: .platform, model: request.model,
                                    scratch: request.scratch)
        let admission = try admit(&data, request)
        return DataParty(context: context, side: PlatformSide(context: context, data: data, admission: admission), secrets: secrets)
    }

    /// Leaves in the table who has authorised everything that the job uses. Without a list nobody has.
    private static func admit(_ data: inout OwnData, _ request: RoleRequest) throws(Fault) -> PlatformSide.Entry? {
        let needs = CatalogueRules.needs(of: data.used, followsStricter: request.followsStricter)
        guard !needs.isEmpty else { return nil }
        let subjects = data.table.identifiers
        guard let authority = request.authority else { throw Fault(.noAuthorisations, at: "/data/platform", "\(subjects.count)") }
        let specification = request.specification
        let check = AuthorisationCheck(
            try AuthorisationList.read(authority.directory, size: authority.lines), needs: needs, purpose: specification.purpose.code,
            grantee: specification.parties.bank, day: authority.day)
        let admission = check.admit(subjects)
        guard !admission.rows.isEmpty else { throw Fault(.noAuthorisations, at: "/data/platform", "\(subjects.count)") }
        data.keep(admission.rows)
        let entered = Set(admission.rows)
        return PlatformSide.Entry(admission: admission, excluded: subjects.indices.filter { !entered.contains($0) }.map { subjects[$0] })
    }

    /// See `SubjectSpelling`.
    package static func spellings(of identifier: String) -> Set<String> { SubjectSpelling.all(of: identifier) }
}
