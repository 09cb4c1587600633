import Exchange
import Faults
import Roles
import Wire

package enum BankJob {
    /// Opens a job on the bank's own data; throws what is wrong with either.
    package static func open(_ request: RoleRequest, _ secrets: JobSecrets) throws(Fault) -> any RoleMachine {
        let context = try JobContext(request, role: .bank)
        let data = try OwnData.open(request.dataset, specification: request.specification, role: .bank, model: request.model,
                                    within: request.within, scratch: request.scratch)
        return DataParty(context: context, side: BankSide(context: context, data: data), secrets: secrets)
    }
}
