import Faults
import Jobs
import Wire

extension JobFiles {
    /// What a policy allows within so many days, by this node's own decisions and reports.
    ///
    /// - Throws: `quotaExceeded`.
    func requireQuota(_ policy: LabPolicy, _ specification: JobSpecification, _ id: JobIdentifier) throws(Fault) {
        func refuse(_ quota: LabPolicy.Quota, _ used: Int, _ pointer: String, _ en: String, _ zh: String) -> Fault {
            Fault(.quotaExceeded, at: "\(policy.name)#\(pointer)", en, "\(used)", "\(quota.most)", "\(quota.days)", zh)
        }
        if let quota = policy.jobs {
            let used = approvals(withinDays: quota.days, besides: id)
            guard used < quota.most else { throw refuse(quota, used, "/quota", "jobs", "任务数") }
        }
        if let budget = policy.exposureBudget, specification.training != nil {
            // A report may say any number.
            let spent = min(exposurePercent(withinDays: budget.days).rounded(.up), 1e9)
            guard spent < Double(budget.most) else {
                throw refuse(budget, Int(spent), "/exposure_budget", "percent of exposure", "暴露度（百分比）")
            }
        }
    }
}
