extension Fault {
    /// Every way in which an action can end badly. The number crosses the wire and never changes its meaning.
    package enum Code: UInt16, Sendable, CaseIterable {
        // The specification and the command line
        case unreadableFile = 100
        case notJSON = 101
        case unknownKey = 102
        case wrongType = 103
        case missingKey = 104
        case valueOutOfRange = 105
        case unknownParty = 106
        case unknownDataset = 107
        case unknownModel = 108
        case duplicateName = 109
        case unwritable = 110
        case unknownJob = 111
        case alreadyExists = 112
        case missingOption = 113
        case notALaboratory = 119
        case dataChanged = 114
        case notReplayable = 116
        case sealKeyRefused = 117
        case secretDestroyed = 118
        case unknownColumn = 122
        case columnTypeDiffers = 123
        case unknownChoice = 124
        case notDescribed = 125
        case cannotDescribe = 126
        case nodeNotRunning = 127
        case notAwaitingApproval = 128
        case unknownCatalogueItem = 140
        case unreadableReport = 132
        case notALedger = 150
        case noSuchFrame = 151
        case commandLine = 133
        case newerDataDirectory = 134
        case noAlignedSubjects = 135

        // The lab's rules
        case unknownField = 170
        case personalField = 171
        case verifiedField = 172
        case fieldNotRegistered = 173
        case notAModelField = 174
        case fieldDoesNotFit = 175
        case specificationExpired = 176
        case looksAhead = 177
        case endingNotRegistered = 178
        case notADay = 179
        case noAuthorisations = 180
        case authorisationExpired = 181
        case authorisationWithdrawn = 182
        case authorisationMissing = 183
        case authorisationRefused = 184
        case policyForbids = 185
        case quotaExceeded = 186
        case policyDiffers = 187
        case dataStale = 188
        case approverNotProven = 189

        // Data at its owner
        case missingColumn = 200
        case labelNotBinary = 201
        case notANumber = 202
        case emptyTable = 203
        case malformedCSV = 204
        case tooManyLevels = 205
        case noUsableColumns = 206
        case missingValueRefused = 207
        case unknownLevel = 208
        case notUTF8 = 209
        case separatorNotSaid = 210
        case malformedDatabase = 211
        case unknownTable = 212
        case repeatedIdentifier = 213
        case contradictingIdentifier = 214
        case unusableIdentifier = 215
        case malformedText = 216
        case tableNotSaid = 217
        case spreadsheetFile = 218
        case lockedDatabase = 219

        // Limits of a job
        case intersectionTooSmall = 300
        case tooFewRows = 301
        case tooFewBads = 302
        case tooManyValues = 303
        case exposureTooLarge = 304
        case setTooLarge = 305
        case singleFeatureDominates = 306
        case keyBitsNotAllowed = 307
        case diskTooSmall = 310
        case ledgersTooLarge = 311
        case modelRetired = 313
        case intersectionKeptBack = 314

        // Links
        case peerUnreachable = 400
        case peerLost = 401
        case portInUse = 402
        case deadlinePassed = 403
        case overloaded = 404
        case directoryInUse = 405
        case kernelsNotThere = 406

        // Who is who
        case certificateRefused = 500
        case pinMismatch = 501
        case versionMismatch = 502
        case secretFileMode = 503
        case notPermitted = 504
        case contractMismatch = 505
        case certificateNotTimely = 506
        case contractUnsigned = 507
        case contractReplaced = 508

        // Limits across jobs
        case jobQuotaReached = 520
        case alignedSetTooClose = 521
        case intersectionTooLarge = 522

        // The protocol between parties
        case malformedFrame = 600
        case unexpectedMessage = 601
        case malformedMessage = 602
        case cryptographicCheck = 603
        case wrongCount = 604
        case ledgersDiffer = 605
        case operationsAltered = 606
        case headMissing = 607
        case inputChanged = 610

        // How jobs end
        case cancelled = 700
        case refusedByParty = 701
        case endedByPeer = 702
        case diverged = 703
        case refusedByApprover = 704

        // Files under the operator's key
        case sealedFileRefused = 720
        case storageKeyMissing = 721
        case fileNotSealed = 722
        case storageKeyUnusable = 723

        // Values that are called
        case callFailed = 730

        case defect = 900
    }
}

extension Fault.Code {
    package struct Entry: Sendable {
        package let exit: ExitCode
        package let message: Phrase
        package let hint: Phrase

        init(_ exit: ExitCode, en: String, zh: String, hint: String, hintZh: String) {
            self.exit = exit
            self.message = Phrase(en: en, zh: zh)
            self.hint = Phrase(en: hint, zh: hintZh)
        }
    }

    package var entry: Entry {
        switch self {
        case .unreadableFile:
            Entry(.usage, en: "{place}: cannot be read", zh: "{place}：无法读取",
                  hint: "check the path, the permissions, and that the file is what is expected there and whole",
                  hintZh: "请检查文件路径与访问权限，并确认其为此处所需的文件且内容完整")
        case .notJSON:
            Entry(.usage, en: "{place}: is not valid JSON at line {0}, column {1}: {2}", zh: "{place}：第 {0} 行第 {1} 列不是有效的 JSON：{3}",
                  hint: "check commas, quotes and brackets near that position", hintZh: "请检查该处附近的逗号、引号和括号")
        case .unknownKey:
            Entry(.usage, en: "{place}: unknown key '{0}'", zh: "{place}：未知的键“{0}”",
                  hint: "{1}", hintZh: "{2}")
        case .wrongType:
            Entry(.usage, en: "{place}: expected {0}", zh: "{place}：此处应为{1}",
                  hint: "see Protocols/specification.md for the form of every value", hintZh: "各项的格式见 Protocols/specification.md")
        case .missingKey:
            Entry(.usage, en: "{place}: the key '{0}' is missing", zh: "{place}：缺少键“{0}”",
                  hint: "add the key; see Protocols/specification.md", hintZh: "请补充该键；格式见 Protocols/specification.md")
        case .valueOutOfRange:
            Entry(.usage, en: "{place}: {0} is outside {1}", zh: "{place}：{0} 不在允许范围 {1} 之内",
                  hint: "choose a value within {1}", hintZh: "请在 {1} 范围内取值")
        case .unknownParty:
            Entry(.usage, en: "{place}: the contract has no party '{0}' in this role", zh: "{place}：合作契约中没有担任该角色的参与方“{0}”",
                  hint: "for this role the contract names: {1}", hintZh: "契约中担任该角色的参与方：{1}")
        case .unknownDataset:
            Entry(.usage, en: "{place}: party has no data set '{0}'", zh: "{place}：该方没有数据集“{0}”",
                  hint: "name a data set that the owner's configuration lists under 'datasets'", hintZh: "请使用该方配置 datasets 中已登记的数据集名称")
        case .unknownModel:
            Entry(.usage, en: "{place}: no stored model of job '{0}'", zh: "{place}：没有任务“{0}”的模型",
                  hint: "name the job id of a training job that completed at both parties", hintZh: "请填写双方均已完成的训练任务编号")
        case .noAlignedSubjects:
            Entry(.usage, en: "{place}: no list of common subjects of job '{0}' that serves this purpose and data set",
                  zh: "{place}：没有任务“{0}”可用于该用途与数据集的共有主体名单",
                  hint: "name the job id of an alignment for the same purpose that told this bank its subjects, and whose results are still kept",
                  hintZh: "请填写用途相同、已向本银行告知共有主体且结果仍留存的对齐任务编号")
        case .duplicateName:
            Entry(.usage, en: "{place}: '{0}' is used twice", zh: "{place}：“{0}”重复出现",
                  hint: "give every entry a name or value of its own", hintZh: "请使用互不相同的名称或取值")
        case .unwritable:
            Entry(.unavailable, en: "{place}: cannot be written", zh: "{place}：无法写入",
                  hint: "check the permissions and the free space of the directory", hintZh: "请检查目录权限和剩余空间")
        case .unknownJob:
            Entry(.usage, en: "no job '{0}' is known here", zh: "此处没有任务“{0}”",
                  hint: "list the lab's jobs with: jointlab job list; a report is at a node once its job has completed there",
                  hintZh: "用 jointlab job list 查看实验室的任务；任务完成后节点上才有其报告")
        case .alreadyExists:
            Entry(.usage, en: "{place}: exists already", zh: "{place}：已存在",
                  hint: "choose a name that is not taken; nothing is overwritten", hintZh: "请使用未被占用的名称；现有内容不会被覆盖")
        case .missingOption:
            Entry(.usage, en: "the option {place} is missing", zh: "缺少选项 {place}",
                  hint: "see the command's --help", hintZh: "用法见该命令的 --help")
        case .notALaboratory:
            Entry(.usage, en: "{place}: the contract is not that of a laboratory, so the secrets of its lines are not written",
                  zh: "{place}：该契约不属于实验环境，不得写出线路密钥",
                  hint: "remove the key; it is for tests under a contract that sets limits.insecure_key_bits",
                  hintZh: "请删除该键；仅在设有 limits.insecure_key_bits 的测试契约下可用")
        case .dataChanged:
            Entry(.unavailable, en: "{place}: the file changed while it was read", zh: "{place}：文件在读取过程中发生变化",
                  hint: "put a finished file in its place by one rename, then submit the job again", hintZh: "请写完后以一次改名替换该文件，再重新提交任务")
        case .unknownColumn:
            Entry(.usage, en: "{place}: data set '{1}' of {0} has no column '{2}'", zh: "{place}：{0} 的数据集“{1}”中没有列“{2}”", hint: "{3}", hintZh: "{4}")
        case .columnTypeDiffers:
            Entry(.usage, en: "{place}: column '{0}' is described as '{1}' and cannot be read as '{2}'", zh: "{place}：列“{0}”的描述类型是 {1}，不能作为 {2} 读取",
                  hint: "give the feature a type that fits, 'category' for texts, or declare another column", hintZh: "请改用相符的类型（文本用 category），或声明其他列")
        case .unknownChoice:
            Entry(.usage, en: "{place}: '{0}' is none of {1}", zh: "{place}：“{0}”不在可选项 {1} 之内", hint: "{2}", hintZh: "{3}")
        case .notDescribed:
            Entry(.usage, en: "{place}: {0} has published no data set '{1}'", zh: "{place}：{0} 未公布数据集“{1}”", hint: "{2}", hintZh: "{3}")
        case .cannotDescribe:
            Entry(.usage, en: "{place}: has more columns than can be described ({0})", zh: "{place}：列数过多，无法描述（上限 {0}）",
                  hint: "register a file with the columns that jobs may use", hintZh: "请登记仅含任务所需列的文件")
        case .nodeNotRunning:
            Entry(.unavailable, en: "{place}: no running node answers here", zh: "{place}：没有正在运行的节点响应",
                  hint: "start the node of this configuration with 'serve', then try again", hintZh: "请先以 serve 启动该配置对应的节点，再重试")
        case .notReplayable:
            Entry(.failure, en: "job '{place}' cannot be replayed: {0}", zh: "任务“{place}”无法重放：{1}",
                  hint: "what a replay needs stands in Protocols/ledger.md, section Replay", hintZh: "重放所需条件见 Protocols/ledger.md 的 Replay 一节")
        case .sealKeyRefused:
            Entry(.security, en: "{place}: this key does not open what was sealed to the {0}", zh: "{place}：该密钥无法打开封存给{1}的份额",
                  hint: "use the private key that belongs to audit.{0}_seal_key as it was when the job ran",
                  hintZh: "请使用与任务运行时 audit.{0}_seal_key 对应的私钥")
        case .secretDestroyed:
            Entry(.usage, en: "job '{place}': the secret '{0}' has been destroyed already, at {1}", zh: "任务“{place}”：用途“{0}”的密钥已于 {1} 销毁",
                  hint: "its receipt lies in the data directory: secrets/{place}/{0}.destroyed", hintZh: "销毁凭证位于数据目录 secrets/{place}/{0}.destroyed")
        case .notAwaitingApproval:
            Entry(.usage, en: "job '{0}' does not wait for approval here", zh: "任务“{0}”不在此处等待审批",
                  hint: "see what waits with: jobs list", hintZh: "用 jobs list 查看等待审批的任务")
        case .unknownCatalogueItem:
            Entry(.usage, en: "{place}: there is no item '{0}'", zh: "{place}：没有信息项“{0}”",
                  hint: "see jointlab catalogue list, or jointlab catalogue search WORD", hintZh: "请参见 jointlab catalogue list，或用 jointlab catalogue search 检索")
        case .notALedger:
            Entry(.usage, en: "{place}: is no ledger of a job", zh: "{place}：不是任务账本",
                  hint: "name the directory ledger/JOB below a node's data directory; of a ledger of operations only audit verify, show and reconcile can read",
                  hintZh: "请给出节点数据目录下的 ledger/JOB 目录；操作账本仅可用 audit verify、show、reconcile 读取")
        case .noSuchFrame:
            Entry(.usage, en: "{place}: has nothing of that line, direction and number", zh: "{place}：没有符合该线路、方向和序位的内容",
                  hint: "audit show without --line, --direction and --frame lists what there is; numbers are from 0",
                  hintZh: "不带 --line、--direction、--frame 的 audit show 会列出全部内容；序位从 0 起")
        case .unreadableReport:
            Entry(.usage, en: "{place}: is no report that this version reads", zh: "{place}：不是本版本可读取的报告",
                  hint: "restore the file from a backup; a report is written once, when its job ends", hintZh: "请从备份恢复该文件；报告仅在任务结束时写入一次")
        case .commandLine:
            Entry(.commandLine, en: "{place}: {0}", zh: "{place}：{1}",
                  hint: "see {place} --help", hintZh: "用法见 {place} --help")
        case .newerDataDirectory:
            Entry(.usage, en: "{place}: the data directory has format {0}, written by a newer program; this one knows {1}",
                  zh: "{place}：数据目录的格式版本为 {0}，由更新的程序写入；本程序只支持到 {1}",
                  hint: "install the newer version again, or give this node another data_directory", hintZh: "请重新安装较新的版本，或为本节点另设 data_directory")
        case .unknownField:
            Entry(.usage, en: "{place}: the catalogue has no field '{0}' (rule R22)", zh: "{place}：目录中没有字段“{0}”（规则 R22）", hint: "{1}", hintZh: "{2}")
        case .personalField:
            Entry(.usage, en: "{place}: '{0}' is about a person or names the subject, and enters no model (rule R05)",
                  zh: "{place}：“{0}”涉及个人或指明主体，不得入模（规则 R05）",
                  hint: "remove it; what a field is for stands in: jointlab catalogue show ITEM", hintZh: "请删除；字段属性见 jointlab catalogue show 信息项编号")
        case .verifiedField:
            Entry(.usage, en: "{place}: '{0}' is verified and not held: only the outcome of the check exists (rule R20)",
                  zh: "{place}：“{0}”属数据核验项，平台不持有原值，仅有核验结果（规则 R20）",
                  hint: "name '{0}/outcome' as a feature of type 'flag'", hintZh: "请改用“{0}/outcome”，type 为 flag")
        case .fieldNotRegistered:
            Entry(.usage, en: "{place}: '{0}' is not registered in data set '{1}' (rule R10)", zh: "{place}：数据集“{1}”未登记“{0}”（规则 R10）",
                  hint: "ask for registered fields; the owner registers others under 'fields' in node.json",
                  hintZh: "请使用已登记字段；其他字段须由数据所有方在 node.json 的 fields 中登记")
        case .notAModelField:
            Entry(.usage, en: "{place}: '{0}' has no use in models by the catalogue (rule R22)", zh: "{place}：目录规定“{0}”不入模（规则 R22）",
                  hint: "choose another field: jointlab catalogue show ITEM", hintZh: "请选用其他字段：jointlab catalogue show 信息项编号")
        case .fieldDoesNotFit:
            Entry(.usage, en: "{place}: '{0}' cannot be used so: {1}", zh: "{place}：“{0}”不能如此使用：{2}",
                  hint: "see Protocols/specification.md, section Features of the catalogue", hintZh: "见 Protocols/specification.md 的 Features of the catalogue 一节")
        case .specificationExpired:
            Entry(.usage, en: "{place}: the specification was valid until {0}, and today is {1} (rule R10)",
                  zh: "{place}：任务说明有效期至 {0}，今天是 {1}（规则 R10）",
                  hint: "write a later valid_until and have it approved anew", hintZh: "请重新填写 valid_until 并再次报批")
        case .looksAhead:
            Entry(.usage, en: "{place}: holds values of {0}, after the observation date {1} (rule R23)", zh: "{place}：数据截至 {0}，晚于观察日 {1}（规则 R23）",
                  hint: "use a data set drawn by the observation date, or a later as_of", hintZh: "请使用观察日之前提取的数据集，或推后 as_of")
        case .endingNotRegistered:
            Entry(.usage, en: "{place}: records of {0} are registered without {2}, '{1}', which ends them (rule R23)",
                  zh: "{place}：登记 {0} 的记录须同时登记“{1}”（{2}），否则无法判断记录是否失效（规则 R23）",
                  hint: "map '{1}' to its column", hintZh: "请将“{1}”映射到对应列")
        case .notADay:
            Entry(.usage, en: "{place}: column '{0}' holds something that is not a date", zh: "{place}：列“{0}”中有非日期内容",
                  hint: "write dates such as 2026-03-31", hintZh: "日期请写作 2026-03-31")
        case .noAuthorisations:
            Entry(.failure, en: "{place}: of {0} subjects none has a valid authorisation for everything that the job uses (rule R04)",
                  zh: "{place}：{0} 个主体中无一对任务所用全部信息具有有效授权（规则 R04）",
                  hint: "see what is lacking with: platform-node authorisations plan SPEC", hintZh: "用 platform-node authorisations plan 查看缺失情况")
        case .authorisationExpired:
            Entry(.failure, en: "{place}: the authorisation for {0} was valid until {1} (rule R04)", zh: "{place}：对 {0} 的授权有效期至 {1}（规则 R04）",
                  hint: "the subject stays out of jobs until it authorises anew", hintZh: "主体重新授权之前不得进入任务")
        case .authorisationWithdrawn:
            Entry(.failure, en: "{place}: the authorisation for {0} was withdrawn on {1} (rule R25)", zh: "{place}：对 {0} 的授权已于 {1} 撤回（规则 R25）",
                  hint: "the subject stays out of jobs and of scoring until a new authorisation of its own is imported",
                  hintZh: "在导入该主体的新授权之前，其不得进入任何任务与评分")
        case .authorisationMissing:
            Entry(.failure, en: "{place}: nothing authorises {0} for this purpose and bank (rule R04)", zh: "{place}：没有针对该用途与该银行对 {0} 的授权（规则 R04）",
                  hint: "import an authorisation that covers it", hintZh: "请导入涵盖该信息项的授权")
        case .authorisationRefused:
            Entry(.usage, en: "{place}: not an authorisation: {0} (rule R06)", zh: "{place}：不是有效的授权记录：{1}（规则 R06）",
                  hint: "correct the line; nothing of the file was taken", hintZh: "请更正该行；文件中的内容均未导入")
        case .policyForbids:
            Entry(.usage, en: "{place}: this node's policy does not allow {0} ({2}, rule {3})", zh: "{place}：本节点策略不允许{1}（{2}，规则 {3}）",
                  hint: "change the specification, or have the owner amend the policy and its digest in the contract",
                  hintZh: "请修改任务说明，或由数据所有方修订策略及契约中的策略摘要")
        case .quotaExceeded:
            Entry(.failure, en: "{place}: {0} are used up: {1} of {2} within {3} days (rule R26)", zh: "{place}：{4}已用尽：{3} 天内已用 {1}，上限 {2}（规则 R26）",
                  hint: "wait, or have the owner amend the policy", hintZh: "请等待，或由数据所有方修订策略")
        case .policyDiffers:
            Entry(.security, en: "{place}: the policy is not the one that the contract pins ({0}): no job runs (rule R28)",
                  zh: "{place}：策略文件与契约所定摘要（{0}）不符，任务不得运行（规则 R28）",
                  hint: "restore the policy file, or amend the contract with its new digest: jointlab lab amend --policy",
                  hintZh: "请恢复策略文件，或以 jointlab lab amend --policy 修订契约中的摘要")
        case .dataStale:
            Entry(.usage, en: "{place}: '{0}' was drawn on {1}, more than {2} days before {3} (rule R27)", zh: "{place}：“{0}”提取于 {1}，早于 {3} 超过 {2} 天（规则 R27）",
                  hint: "draw the table anew and say when under 'drawn'", hintZh: "请重新提取数据，并在 drawn 中注明日期")
        case .approverNotProven:
            Entry(.security, en: "{place}: the contract names who approves here ({0}); this account may not (rule R13)",
                  zh: "{place}：契约已指定本节点的审批人（{0}），操作系统账户不得审批（规则 R13）",
                  hint: "the approver signs with its own key: --as person.json", hintZh: "请审批人以本人密钥签署：--as person.json")
        case .missingColumn:
            Entry(.usage, en: "{place}: no column '{0}' in the data set", zh: "{place}：数据集中没有列“{0}”",
                  hint: "check the spelling; names are compared exactly", hintZh: "请检查列名拼写，列名须完全一致")
        case .labelNotBinary:
            Entry(.usage, en: "{place}: the label column '{0}' holds something other than its two declared values", zh: "{place}：标签列“{0}”中有两个声明值以外的内容",
                  hint: "clean the column, or set label.bad and label.good to the two values it holds", hintZh: "请清理该列，或将 label.bad 与 label.good 设为列中的两个取值")
        case .notANumber:
            Entry(.usage, en: "{place}: column '{0}' holds something that is not a number", zh: "{place}：列“{0}”中有非数值内容",
                  hint: "correct the cell, or give the feature the type 'category'", hintZh: "请更正该单元格，或将该特征的 type 设为 category")
        case .emptyTable:
            Entry(.usage, en: "{place}: holds no usable row", zh: "{place}：没有可用的数据行",
                  hint: "the file needs a header line and at least one row with an identifier", hintZh: "文件需有表头行和至少一行带标识的数据")
        case .malformedCSV:
            Entry(.usage, en: "{place}: not well-formed CSV ({0})", zh: "{place}：CSV 格式有误（{1}）",
                  hint: "the file must follow RFC 4180 in the encoding that is declared for it: equal numbers of fields, quotes doubled inside quotes",
                  hintZh: "文件须符合 RFC 4180 并采用所声明的编码：各行字段数相同，字段内的引号须写成两个引号")
        case .notUTF8:
            Entry(.usage, en: "{place}: not UTF-8 text{0}", zh: "{place}：不是 UTF-8 编码的文本{1}",
                  hint: "save it as 'CSV UTF-8'; if all of it is GB18030 or GBK, say so: \"encoding\": \"gb18030\" in node.json, --encoding gb18030 on the command line",
                  hintZh: "请另存为“CSV UTF-8”；如整个文件为 GB18030 或 GBK 编码，请注明：node.json 中 \"encoding\": \"gb18030\"，命令行 --encoding gb18030")
        case .separatorNotSaid:
            Entry(.usage, en: "{place}: the only column has a '{0}' in its name, which may be the separator", zh: "{place}：仅有一列，且列名中含“{0}”，可能是分隔符",
                  hint: "if it separates the columns, say so: \"separator\": \"{0}\" in node.json, --separator '{0}' on the command line",
                  hintZh: "如确为分隔符，请注明：node.json 中 \"separator\": \"{0}\"，命令行 --separator '{0}'")
        case .malformedDatabase:
            Entry(.usage, en: "{place}: SQLite cannot read it as a table of texts and numbers ({0})", zh: "{place}：SQLite 无法将其作为文本和数值表读取（{0}）",
                  hint: "check with: sqlite3 FILE 'PRAGMA integrity_check'; a column of BLOBs has to be left out by a view",
                  hintZh: "请用 sqlite3 FILE 'PRAGMA integrity_check' 检查；BLOB 列请用视图排除")
        case .unknownTable:
            Entry(.usage, en: "{place}: no table or view '{0}' in the database", zh: "{place}：数据库中没有表或视图“{0}”",
                  hint: "list the tables with: sqlite3 FILE .tables; only a name can be given, never SQL",
                  hintZh: "用 sqlite3 FILE .tables 查看各表；此处只能填名称，不能填 SQL")
        case .repeatedIdentifier:
            Entry(.usage, en: "{place}: repeats an earlier row of the same identifier; there are {0} such rows", zh: "{place}：与同一标识的前一行完全重复；此类行共 {0} 行",
                  hint: "remove the repetitions, or let them be dropped: \"defects\": \"drop\"", hintZh: "请删除重复行，或允许自动剔除：\"defects\": \"drop\"")
        case .contradictingIdentifier:
            Entry(.usage, en: "{place}: this row and others of the same identifier contradict each other; there are {0} such rows",
                  zh: "{place}：该行与同一标识的其他行相互矛盾；此类行共 {0} 行",
                  hint: "keep one row for each identifier, or let all of them be dropped: \"defects\": \"drop\"",
                  hintZh: "请为每个标识只保留一行，或允许全部剔除：\"defects\": \"drop\"")
        case .unusableIdentifier:
            Entry(.usage, en: "{place}: the identifier cannot be used: {1}; there are {0} such rows", zh: "{place}：标识无法使用：{2}；此类行共 {0} 行",
                  hint: "correct the identifiers, or let these rows be dropped: \"defects\": \"drop\"", hintZh: "请更正标识，或允许剔除这些行：\"defects\": \"drop\"")
        case .malformedText:
            Entry(.usage, en: "{place}: holds bytes that are not {0} text", zh: "{place}：含有不属于 {0} 编码的字节",
                  hint: "the file is damaged there or written in another encoding; save it as 'CSV UTF-8'", hintZh: "文件在该处损坏或采用其他编码；请另存为“CSV UTF-8”")
        case .tableNotSaid:
            Entry(.usage, en: "{place}: is an SQLite database, and no table is named", zh: "{place}：是 SQLite 数据库，但未指明表名",
                  hint: "name it: \"table\": \"NAME\" in node.json, --table NAME on the command line",
                  hintZh: "请指明表名：node.json 中 \"table\": \"NAME\"，命令行 --table NAME")
        case .spreadsheetFile:
            Entry(.usage, en: "{place}: is a spreadsheet, not a text file", zh: "{place}：是电子表格文件，而非文本文件",
                  hint: "save the sheet as 'CSV UTF-8'", hintZh: "请将工作表另存为“CSV UTF-8”")
        case .lockedDatabase:
            Entry(.unavailable, en: "{place}: another program is writing to the database", zh: "{place}：其他程序正在写入数据库",
                  hint: "try again when it has finished, or register a copy", hintZh: "请待其完成后重试，或登记一份副本")
        case .tooManyLevels:
            Entry(.usage, en: "{place}: column '{0}' has more than {1} categories", zh: "{place}：列“{0}”的类别超过 {1} 个",
                  hint: "group the categories, or use the column as a number", hintZh: "请合并类别，或将该列作为数值使用")
        case .noUsableColumns:
            Entry(.usage, en: "{place}: no column of this party is left after treatment", zh: "{place}：处理后该方没有可用的列",
                  hint: "columns that hardly vary are dropped; declare others", hintZh: "几乎不变的列会被剔除，请声明其他列")
        case .missingValueRefused:
            Entry(.usage, en: "{place}: column '{0}' has missing values and its policy refuses them", zh: "{place}：列“{0}”存在缺失值，而其策略不允许缺失",
                  hint: "choose another 'missing' policy for the feature, or complete the data", hintZh: "请为该特征选择其他 missing 策略，或补全数据")
        case .unknownLevel:
            Entry(.usage, en: "{place}: column '{0}' is not 0 or 1", zh: "{place}：列“{0}”的取值不是 0 或 1",
                  hint: "a feature of type 'flag' holds 0, 1, true, false or nothing", hintZh: "flag 类型的特征只能是 0、1、true、false 或空")
        case .intersectionTooSmall:
            Entry(.failure, en: "the parties have {0} subjects in common, fewer than the minimum of {1}", zh: "双方共有主体 {0} 个，少于最低要求 {1} 个",
                  hint: "use larger data sets; the contract's minimum protects the subjects and cannot be undercut", hintZh: "请使用更大的数据集；契约规定的下限用于保护主体，不能降低")
        case .tooFewRows:
            Entry(.failure, en: "{0} training rows are fewer than the {1} that {2} columns and {3} rounds need", zh: "训练行数 {0} 少于 {1}：{2} 列、{3} 轮所需的最少行数",
                  hint: "declare fewer columns or rounds, or use more rows", hintZh: "请减少列数或轮数，或增加数据行")
        case .tooFewBads:
            Entry(.failure, en: "the other party has {0} columns, more than one for every {1} rows of the rarer label class", zh: "对方有 {0} 列，而较少类别每 {1} 行最多允许一列",
                  hint: "declare fewer columns at the platform: more would let labels be solved from gradients", hintZh: "请减少平台方列数：列数过多会使标签可由梯度反解")
        case .tooManyValues:
            Entry(.failure, en: "{place}: more values than the job allows", zh: "{place}：数值个数超过任务允许的上限",
                  hint: "declare fewer columns", hintZh: "请减少列数")
        case .exposureTooLarge:
            Entry(.failure, en: "the exposure of this job would be {0} %, above the contract's limit of {1} %", zh: "该任务的暴露度为 {0} %，超过契约上限 {1} %",
                  hint: "use fewer rounds or columns, or more rows", hintZh: "请减少轮数或列数，或增加数据行")
        case .setTooLarge:
            Entry(.failure, en: "{place}: declares {0} identifiers, above the contract's limit of {1}", zh: "{place}：声明的标识数为 {0}，超过契约上限 {1}",
                  hint: "restrict the data set to the subjects that the purpose needs", hintZh: "请将数据集限定在用途所需的主体范围内")
        case .singleFeatureDominates:
            Entry(.failure, en: "one feature would carry {0} % of the variance of the platform's partial score", zh: "单个特征占平台方部分得分方差的 {0} %",
                  hint: "scores of this model would disclose that feature; declare more features or raise the contract's limit", hintZh: "以该模型评分会泄露该特征；请增加特征，或在契约中放宽限制")
        case .keyBitsNotAllowed:
            Entry(.usage, en: "{place}: keys of {0} bits are below the contract's minimum of {1}", zh: "{place}：{0} 位密钥低于契约规定的最低 {1} 位",
                  hint: "set training.key_bits to {1} or more", hintZh: "请将 training.key_bits 设为 {1} 或以上")
        case .diskTooSmall:
            Entry(.failure, en: "{place}: the ledger of this job may take {0} MB; {1} MB are free", zh: "{place}：该任务的账本可能占用 {0} MB，剩余空间 {1} MB",
                  hint: "free some space, or ask for fewer rounds or rows", hintZh: "请释放磁盘空间，或减少轮数或行数")
        case .ledgersTooLarge:
            Entry(.failure, en: "{place}: the ledger of this job may take {0} MB; {1} MB of the {2} MB of ledger.disk_limit are taken",
                  zh: "{place}：该任务的账本可能占用 {0} MB；ledger.disk_limit 的 {2} MB 中已占用 {1} MB",
                  hint: "archive ledgers of earlier jobs elsewhere, raise ledger.disk_limit in node.json, or keep less: \"retention\"",
                  hintZh: "请将以往任务的账本归档到别处，在 node.json 中提高 ledger.disk_limit，或以 \"retention\" 减少留存")
        case .modelRetired:
            Entry(.failure, en: "{place}: {1} has retired its half of the model of job '{0}'", zh: "{place}：{1} 已停用任务“{0}”模型的本方部分",
                  hint: "a retired model scores no more; train another", hintZh: "已停用的模型不能再用于评分，请重新训练")
        case .intersectionKeptBack:
            Entry(.failure, en: "the subjects in common, whose number the bank alone may know, are fewer than the minimum of {0} or more than the contract allows",
                  zh: "共有主体数（仅银行可知）少于最低要求 {0} 个，或超过契约允许的上限",
                  hint: "use larger data sets, or platforms that have more subjects in common; the limits protect the subjects",
                  hintZh: "请使用更大的数据集，或选择共有主体更多的平台；上述限制用于保护主体")
        case .peerUnreachable:
            Entry(.unavailable, en: "{place}: no answer at {0}", zh: "{place}：{0} 无法连接",
                  hint: "check that the peer's node is running, that its address in the contract is right, and that the firewall lets the connection through", hintZh: "请确认对方节点已启动、契约中的地址正确、防火墙已放行")
        case .peerLost:
            Entry(.unavailable, en: "the connection to {place} was lost", zh: "与 {place} 的连接中断",
                  hint: "an interrupted job goes on by itself once both sides are back in time; submit it again only if it has ended",
                  hintZh: "被中断的任务在双方按期恢复后自动继续；仅当任务已终止时才需重新提交")
        case .portInUse:
            Entry(.unavailable, en: "cannot listen at {place}", zh: "无法在 {place} 监听",
                  hint: "another program uses the port or the address is not this machine's; change 'listen' in the configuration", hintZh: "端口已被占用或地址不属于本机；请修改配置中的 listen")
        case .deadlinePassed:
            Entry(.unavailable, en: "{place} did not answer within {0} s", zh: "{place} 在 {0} 秒内没有回应",
                  hint: "check the peer's node and the line, then submit the job again", hintZh: "请检查对方节点和线路，然后重新提交任务")
        case .overloaded:
            Entry(.unavailable, en: "{place} has no room for another job now", zh: "{place} 目前已满，无法接受新任务",
                  hint: "try again later", hintZh: "请稍后再试")
        case .directoryInUse:
            Entry(.unavailable, en: "{place}: another node already serves this data directory", zh: "{place}：该数据目录已有节点在运行",
                  hint: "stop that node first, or give this one a data_directory of its own", hintZh: "请先停止该节点，或为本节点另设 data_directory")
        case .kernelsNotThere:
            Entry(.unavailable, en: "{place}: this processor has no AVX-512 IFMA", zh: "{place}：本机处理器不支持 AVX-512 IFMA",
                  hint: "leave it unset: the portable arithmetic gives the same results, more slowly", hintZh: "请不要设置该变量：通用运算的结果相同，只是较慢")
        case .certificateRefused:
            Entry(.security, en: "{place}: the certificate was refused", zh: "{place}：证书未被接受",
                  hint: "it must be issued by the contract's authority and be within its dates", hintZh: "证书须由契约指定的机构签发并在有效期内")
        case .pinMismatch:
            Entry(.security, en: "{place}: the peer's key is not the one that the contract pins", zh: "{place}：对方密钥与契约中固定的密钥不符",
                  hint: "do not continue; ask the peer whether its key changed and amend the contract together", hintZh: "请停止操作；向对方确认密钥是否变更，并共同修订契约")
        case .versionMismatch:
            Entry(.security, en: "{place} speaks protocol version {0}, this program {1}", zh: "{place} 使用协议版本 {0}，本程序为 {1}",
                  hint: "install the same version on both sides", hintZh: "请双方安装相同版本")
        case .secretFileMode:
            Entry(.security, en: "{place}: a secret file that others can read", zh: "{place}：私密文件可被他人读取",
                  hint: "chmod 600 {place}", hintZh: "请执行 chmod 600 {place}")
        case .notPermitted:
            Entry(.security, en: "{place}: not permitted for this certificate", zh: "{place}：该证书无权进行此操作",
                  hint: "use the certificate of a person whose role in the contract allows it", hintZh: "请使用契约中具有相应角色的人员证书")
        case .contractMismatch:
            Entry(.security, en: "{place} holds another collaboration contract", zh: "{place} 持有的合作契约与本方不同",
                  hint: "compare the digests of contract.json on both sides and agree on one", hintZh: "请比对双方 contract.json 的摘要并统一")
        case .certificateNotTimely:
            Entry(.security, en: "{place}: the certificate is valid from {0} to {1}, not now", zh: "{place}：证书有效期为 {0} 至 {1}，目前无效",
                  hint: "check the clock of this machine; if it is right, have a new certificate made: keys rotate",
                  hintZh: "请检查本机时钟；若时钟无误，请更换证书：keys rotate")
        case .contractUnsigned:
            Entry(.security, en: "{place}: the amendment is not signed by {0}", zh: "{place}：修订后的契约缺少 {0} 的签名",
                  hint: "have it signed at these parties: contract sign FILE; the signatures belong beside it",
                  hintZh: "请相应各方执行 contract sign FILE 签名；签名文件应与契约文件放在一起")
        case .contractReplaced:
            Entry(.security, en: "{place}: does not amend the contract that this node holds ({0})", zh: "{place}：不是对本节点所持契约（{0}）的修订",
                  hint: "put that contract back, or draft an amendment of it: jointlab lab amend", hintZh: "请恢复原契约，或用 jointlab lab amend 起草对它的修订")
        case .jobQuotaReached:
            Entry(.failure, en: "the data set has served {0} jobs, as many as its owner allows", zh: "该数据集已用于 {0} 个任务，达到其所有方允许的上限",
                  hint: "its owner sets 'maximum_jobs' of the data set in node.json", hintZh: "由其所有方在 node.json 中设置该数据集的 maximum_jobs")
        case .alignedSetTooClose:
            Entry(.failure, en: "the common subjects differ in few from those of the earlier job {0} with {place}: results of both would tell about single subjects",
                  zh: "共有主体与此前同 {place} 的任务 {0} 仅相差极少数：两次结果对照会暴露个别主体",
                  hint: "use the same subjects as before, or ones that differ in 100 or more", hintZh: "请使用与此前完全相同的主体，或至少相差 100 个的主体")
        case .intersectionTooLarge:
            Entry(.failure, en: "the parties have {0} subjects in common, more than the {1} that the contract allows", zh: "双方共有主体 {0} 个，超过契约允许的 {1} 个",
                  hint: "use smaller data sets, or amend 'maximum_intersection' of the contract", hintZh: "请使用较小的数据集，或修订契约的 maximum_intersection")
        case .malformedFrame:
            Entry(.security, en: "{place} sent a malformed frame", zh: "{place} 发送了格式错误的帧",
                  hint: "the job is over; check that both sides run the same version", hintZh: "任务已终止；请确认双方版本一致")
        case .unexpectedMessage:
            Entry(.security, en: "{place} sent a message that this state does not allow", zh: "{place} 发送了当前状态不允许的消息",
                  hint: "the job is over; check that both sides run the same version", hintZh: "任务已终止；请确认双方版本一致")
        case .malformedMessage:
            Entry(.security, en: "{place} sent a malformed message", zh: "{place} 发送了格式错误的消息",
                  hint: "the job is over; check that both sides run the same version", hintZh: "任务已终止；请确认双方版本一致")
        case .cryptographicCheck:
            Entry(.security, en: "{place} sent a value that failed a cryptographic check", zh: "{place} 发送的数值未通过密码学检查",
                  hint: "the job is over for good; inform both compliance officers before another is started", hintZh: "任务已永久终止；重新开始前请通知双方合规人员")
        case .wrongCount:
            Entry(.security, en: "{place} sent another number of elements than it declared", zh: "{place} 发送的元素个数与其声明不符",
                  hint: "the job is over; check that both sides run the same version", hintZh: "任务已终止；请确认双方版本一致")
        case .ledgersDiffer:
            Entry(.security, en: "{place}: the ledgers of both ends differ", zh: "{place}：双方账本不一致",
                  hint: "the job is over; keep both ledgers and compare them: jointlab audit reconcile DIR1 DIR2",
                  hintZh: "任务已终止；请保留双方账本并比对：jointlab audit reconcile DIR1 DIR2")
        case .operationsAltered:
            Entry(.security, en: "{place}: the ledger of operations is not what this node has signed", zh: "{place}：操作账本与本节点签署的内容不符",
                  hint: "inform the compliance officer; see what differs with: jointlab audit verify {place}; nothing goes on before it is whole or has been moved away",
                  hintZh: "请通知合规人员；用 jointlab audit verify {place} 查看差异；账本恢复完整或移走之前，一切操作停止")
        case .headMissing:
            Entry(.unavailable, en: "{place} did not answer within {0} s: the heads of the ledger were not signed by all", zh: "{place} 在 {0} 秒内没有回应：账本树头未能由各方全部签署",
                  hint: "nothing goes on without them; check the peer, the arbiter and the lines, then submit the job again",
                  hintZh: "没有签署的树头，任务不会继续；请检查对方、仲裁方和线路，然后重新提交任务")
        case .inputChanged:
            Entry(.failure, en: "{place}: has changed since job '{0}' read it", zh: "{place}：自任务“{0}”读取后已发生变化",
                  hint: "a replay needs the very bytes: name a kept copy with --data; a job needs files that nobody writes meanwhile",
                  hintZh: "重放需要完全相同的文件：请用 --data 指定留存的副本；任务运行期间请勿改写数据文件")
        case .cancelled:
            Entry(.failure, en: "the job was cancelled", zh: "任务已取消",
                  hint: "submit it again if that was not meant", hintZh: "如属误操作，请重新提交")
        case .refusedByParty:
            Entry(.failure, en: "{place} refused the job", zh: "{place} 拒绝了该任务",
                  hint: "ask the owner of that data for the reason", hintZh: "请向该数据所有方询问原因")
        case .endedByPeer:
            Entry(.failure, en: "{place} ended the job", zh: "{place} 终止了任务",
                  hint: "the reason is in that party's own log", hintZh: "原因见该方自己的日志")
        case .diverged:
            Entry(.failure, en: "training did not settle: the weights grew past all bounds", zh: "训练未能收敛：权重超出合理范围",
                  hint: "raise l2, clip stronger, or look for columns that repeat each other", hintZh: "请增大 l2、加强截尾，或检查重复的列")
        case .refusedByApprover:
            Entry(.failure, en: "{place} refused the job: {0}", zh: "{place} 拒绝了该任务：{0}",
                  hint: "change the specification accordingly, or speak with the approver", hintZh: "请据此修改任务说明，或与审批人沟通")
        case .sealedFileRefused:
            Entry(.security, en: "{place}: was altered, or sealed with another key than the storage key of node.json", zh: "{place}：文件被改动，或封存所用密钥不是 node.json 的存储密钥",
                  hint: "give the key with which the file was sealed, or restore the file from a copy", hintZh: "请提供封存该文件的密钥，或以备份恢复该文件")
        case .storageKeyMissing:
            Entry(.usage, en: "{place}: is sealed, and node.json has no storage_key", zh: "{place}：文件已封存，而 node.json 未配置 storage_key",
                  hint: "say under storage_key in node.json where the key is: file, environment or command", hintZh: "请在 node.json 的 storage_key 中注明密钥来源：file、environment 或 command")
        case .fileNotSealed:
            Entry(.usage, en: "{place}: is not sealed, though node.json has a storage_key", zh: "{place}：node.json 已配置 storage_key，但该文件未封存",
                  hint: "seal the node's files with: keys protect, unless somebody else has put this file there", hintZh: "若非他人放入的文件，请以 keys protect 封存本节点文件")
        case .callFailed:
            Entry(.unavailable, en: "{place}: gave no values: {0}", zh: "{place}：未返回取值：{1}",
                  hint: "run the command under 'call' in node.json by hand, with identifiers on its standard input", hintZh: "请手工运行 node.json 中 call 所列命令，并从标准输入给出标识")
        case .storageKeyUnusable:
            Entry(.usage, en: "{place}: {0} gives no key: 32 bytes in base64 are expected", zh: "{place}：{0} 未给出密钥：应为 32 字节的 base64",
                  hint: "make one with: head -c 32 /dev/urandom | base64; keep a copy off this machine", hintZh: "可用 head -c 32 /dev/urandom | base64 生成，并在其他地方留存副本")
        case .defect:
            Entry(.defect, en: "an internal check failed at {place}", zh: "内部检查未通过：{place}",
                  hint: "please report this with the program's version", hintZh: "请附上程序版本报告此问题")
        }
    }
}
