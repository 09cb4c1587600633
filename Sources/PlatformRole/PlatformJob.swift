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
        var data = try OwnData.open(
            request.dataset, specification: request.specification, role: .platform, model: request.model, scratch: request.scratch
        ) { (used, program, subjects) throws(Fault) in
            guard let call = request.call else {
                throw Fault(.notReplayable, at: "\(request.job)", "values that were called for it are not kept", "为其调用获取的取值未予留存")
            }
            guard let check = try Self.check(used, subjects.count, request) else { return try call(program, subjects) }
            return try call(program, check.admit(subjects).rows.map { subjects[$0] })
        }
        let admission = try admit(&data, request)
        return DataParty(context: context, side: PlatformSide(context: context, data: data, admission: admission), secrets: secrets)
    }

    /// Leaves in the table who has authorised everything that the job uses. Without a list nobody has.
    private static func admit(_ data: inout OwnData, _ request: RoleRequest) throws(Fault) -> PlatformSide.Entry? {
        let subjects = data.table.identifiers
        guard let check = try Self.check(data.used, subjects.count, request) else { return nil }
        let admission = check.admit(subjects)
        guard !admission.rows.isEmpty else { throw Fault(.noAuthorisations, at: "/data/platform", "\(subjects.count)") }
        data.keep(admission.rows)
        let entered = Set(admission.rows)
        return PlatformSide.Entry(admission: admission, excluded: subjects.indices.filter { !entered.contains($0) }.map { subjects[$0] })
    }

    /// Nothing where the features need nobody's consent.
    private static func check(_ used: [JobSpecification.Feature], _ subjects: Int, _ request: RoleRequest) throws(Fault) -> AuthorisationCheck? {
        let needs = CatalogueRules.needs(of: used, followsStricter: request.followsStricter)
        guard !needs.isEmpty else { return nil }
        guard let authority = request.authority else { throw Fault(.noAuthorisations, at: "/data/platform", "\(subjects)") }
        let specification = request.specification
        return AuthorisationCheck(
            try AuthorisationList.read(authority.directory, size: authority.lines), needs: needs, purpose: specification.purpose.code,
            grantee: specification.parties.bank, day: authority.day)
    }
}
