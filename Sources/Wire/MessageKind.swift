import Faults

/// Everything that may cross, in one place: who sends it to whom, when, how long it is, and what the receiver learns.
///
/// `jointlab wire` prints this table and `Protocols/wire.md` holds the same text, by a test. A frame whose kind is not
/// listed for its sender, receiver and phase ends the job.
package enum MessageKind: UInt16, Sendable, CaseIterable {
    // bank and platform
    case hello = 1
    case nonce = 2
    case paillierKey = 3
    case alignmentOpening = 4
    case blindedPoints = 5
    case seedReveal = 6
    case doublyBlindedPoints = 7
    case matches = 8
    case columns = 9
    case curvature = 10
    case roundRows = 11
    case maskedValues = 12
    case returnedBits = 13
    case partialScores = 14
    case closing = 15
    case abort = 16
    case ledgerHeads = 17
    case acknowledgement = 18
    case blindingProgress = 25
    case sortedPoints = 26
    case intersectionSize = 27
    // node and arbiter
    case nodeRegister = 64
    case nodeRegistered = 65
    case jobOffer = 66
    case jobAnswer = 67
    case jobStart = 68
    case jobProgress = 69
    case roundShare = 70
    case verdict = 71
    case jobEnd = 72
    case jobStop = 73
    case headSubmission = 74
    case headSignatures = 75
    case operationsHead = 80
    case directionHead = 81
    case nodePublication = 76
    case peerPublication = 77
    // person and arbiter
    case submitJob = 128
    case listJobs = 129
    case showJob = 130
    case watchJob = 131
    case cancelJob = 132
    case jobRecord = 133
    case jobList = 134
    case refusal = 135
    case showPublication = 136
    case publicationRecord = 137
}

/// Who may stand at an end of a line.
package enum Role: String, Sendable, Hashable, CaseIterable, Codable {
    case bank, platform, arbiter, person

    /// Of a data party: the other one.
    package var otherOwner: Role { self == .bank ? .platform : .bank }
}

extension MessageKind {
    /// One row of the published table.
    package struct Row: Sendable {
        /// Sender to receiver, each pair that is allowed.
        package let directions: [Direction]
        package let phases: [Phase]
        /// Fields, shapes and the length of the payload's bytes in public counts.
        package let shape: String
        package let reveals: Phrase
        /// A longer payload is refused before any of it is read.
        package let maximumPayloadBytes: Int
    }

    package struct Direction: Sendable, Hashable {
        package let from: Role
        package let to: Role
    }

    package func allows(from sender: Role, to receiver: Role) -> Bool {
        row.directions.contains { $0.from == sender && $0.to == receiver }
    }

    /// Says something of a node itself: its frame names no job, and is in no job's ledger.
    package var concernsNode: Bool { [.nodeRegister, .nodeRegistered, .nodePublication, .peerPublication].contains(self) }

    /// The longest payload that anybody may send to that receiver.
    package static func maximumPayloadBytes(to receiver: Role) -> Int {
        allCases.map(\.row).filter { $0.directions.contains { $0.to == receiver } }.map(\.maximumPayloadBytes).max() ?? 0
    }

    /// Frames of bulk data are cut into blocks below this size.
    package static let bulkBytes = 4 << 20
    private static let smallBytes = 4 << 10
    private static let documentBytes = 1 << 20

    package var row: Row {
        let bothData: [Direction] = [.init(from: .bank, to: .platform), .init(from: .platform, to: .bank)]
        let bankToPlatform: [Direction] = [.init(from: .bank, to: .platform)]
        let platformToBank: [Direction] = [.init(from: .platform, to: .bank)]
        let toArbiter: [Direction] = [.init(from: .bank, to: .arbiter), .init(from: .platform, to: .arbiter)]
        let fromArbiter: [Direction] = [.init(from: .arbiter, to: .bank), .init(from: .arbiter, to: .platform)]
        let ask: [Direction] = [.init(from: .person, to: .arbiter)]
        let reply: [Direction] = [.init(from: .arbiter, to: .person)]
        let anyPhase = Phase.allCases

        switch self {
        case .hello:
            return Row(directions: bothData, phases: [.opening],
                       shape: "version, specification_digest 32, contract_digest 32, secret_commitments 7 x 32, agreement_key 32",
                       reveals: Phrase(en: "that both hold the same specification and contract", zh: "双方持有相同的任务说明与合作契约"),
                       maximumPayloadBytes: Self.smallBytes)
        case .nonce:
            return Row(directions: bothData, phases: [.opening], shape: "nonce 32",
                       reveals: Phrase(en: "nothing: random", zh: "无：随机数"), maximumPayloadBytes: Self.smallBytes)
        case .paillierKey:
            return Row(directions: bothData, phases: [.opening], shape: "modulus bits/8, certificate 11 x bits/8",
                       reveals: Phrase(en: "a public key made for this attempt, and a proof that it is well formed",
                                       zh: "仅供本次尝试使用的公钥及其格式正确性证明"),
                       maximumPayloadBytes: 16 << 10)
        case .alignmentOpening:
            return Row(directions: bothData, phases: [.alignment], shape: "count, list_digest 32, seed_commitment 32",
                       reveals: Phrase(en: "how many subjects the sender's list holds", zh: "发送方名单的主体数量"),
                       maximumPayloadBytes: Self.smallBytes)
        case .blindedPoints:
            return Row(directions: bothData, phases: [.alignment], shape: "block, points 65 x at most 8192, in random order",
                       reveals: Phrase(en: "nothing beyond the count: group elements under the sender's secret scalar",
                                       zh: "除数量外无：以发送方秘密标量盲化的群元素"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .seedReveal:
            return Row(directions: bothData, phases: [.alignment], shape: "seed 32",
                       reveals: Phrase(en: "a share of the seed that orders and splits the rows", zh: "用于行排序与划分的种子份额"),
                       maximumPayloadBytes: Self.smallBytes)
        case .doublyBlindedPoints:
            return Row(directions: platformToBank, phases: [.alignment], shape: "block, points 65 x at most 8192, in the order received",
                       reveals: Phrase(en: "to the bank: which of its own subjects the platform also holds",
                                       zh: "告知银行：其名单中哪些主体为平台共有"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .matches:
            return Row(directions: bankToPlatform, phases: [.alignment], shape: "total, block, positions 4 x at most 65536, ascending",
                       reveals: Phrase(en: "to the platform: which of its own subjects the bank also holds",
                                       zh: "告知平台：其名单中哪些主体为银行共有"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .blindingProgress:
            return Row(directions: bothData, phases: [.alignment], shape: "count",
                       reveals: Phrase(en: "that the sender's list holds more subjects than that", zh: "发送方名单的主体数量大于该值"),
                       maximumPayloadBytes: Self.smallBytes)
        case .sortedPoints:
            return Row(directions: platformToBank, phases: [.alignment], shape: "block, points 65 x at most 8192, ascending",
                       reveals: Phrase(en: "to the bank: how many of its own subjects the platform also holds, not which",
                                       zh: "告知银行：其名单中有多少主体为平台共有，但不透露是哪些"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .intersectionSize:
            return Row(directions: bankToPlatform, phases: [.alignment], shape: "total",
                       reveals: Phrase(en: "to the platform: how many subjects are common, not which", zh: "告知平台：共有主体的数量，但不透露是哪些"),
                       maximumPayloadBytes: Self.smallBytes)
        case .columns:
            return Row(directions: bothData, phases: [.preparation], shape: "count",
                       reveals: Phrase(en: "how many columns the sender trains on", zh: "发送方参与训练的列数"),
                       maximumPayloadBytes: Self.smallBytes)
        case .curvature:
            return Row(directions: bankToPlatform, phases: [.preparation], shape: "exponent",
                       reveals: Phrase(en: "the base rate of bads to about a factor of two", zh: "违约率的大致范围（约两倍误差内）"),
                       maximumPayloadBytes: Self.smallBytes)
        case .roundRows:
            return Row(directions: bothData, phases: [.training],
                       shape: "round, block, ciphertexts (degree + 1) x bits/4 x rows of the block (at most 512)",
                       reveals: Phrase(en: "nothing: Paillier ciphertexts under the sender's key", zh: "无：以发送方公钥加密的 Paillier 密文"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .maskedValues:
            return Row(directions: bothData, phases: [.training],
                       shape: "round, ciphertexts bits/4 x ceil(values / slots)",
                       reveals: Phrase(en: "nothing: sums under the receiver's key, masked uniformly modulo its n",
                                       zh: "无：以接收方公钥加密且经模 n 均匀掩码的和"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .returnedBits:
            return Row(directions: bothData, phases: [.training],
                       shape: "round, ciphertexts bits/4 x ceil(values / slots)",
                       reveals: Phrase(en: "to the receiver alone: its own gradient (to the bank also the training loss), by removing its own mask",
                                       zh: "仅告知接收方：去除自身掩码后得到的自身梯度（银行另得训练损失）"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .partialScores:
            return Row(directions: platformToBank, phases: [.scoring],
                       shape: "block, ciphertexts bits/4 x ceil(rows of the block / slots)",
                       reveals: Phrase(en: "to the bank: the platform's part of each score, rounded to the contract's resolution",
                                       zh: "告知银行：平台方的部分得分（按契约规定的精度取整）"),
                       maximumPayloadBytes: Self.bulkBytes)
        case .closing:
            return Row(directions: bothData, phases: [.closing], shape: "frames_sent",
                       reveals: Phrase(en: "nothing new", zh: "无新增信息"), maximumPayloadBytes: Self.smallBytes)
        case .abort:
            return Row(directions: bothData, phases: anyPhase, shape: "code",
                       reveals: Phrase(en: "that the sender ended the job, by the number of a published table",
                                       zh: "发送方已终止任务（以公布的编号表示）"),
                       maximumPayloadBytes: Self.smallBytes)
        case .ledgerHeads:
            return Row(directions: bothData, phases: [.alignment, .preparation, .training, .scoring],
                       shape: "round, sent_size, sent_root 32, sent_signature 64, received_size, received_root 32, received_signature 64",
                       reveals: Phrase(en: "nothing new: sizes and roots of the frames both have seen, signed",
                                       zh: "无新增信息：双方已见帧的数量与树根及其签名"),
                       maximumPayloadBytes: Self.smallBytes)
        case .headSubmission:
            return Row(directions: toArbiter, phases: anyPhase,
                       shape: "heads as in LedgerHeads, sent_proof 32 each, received_proof 32 each",
                       reveals: Phrase(en: "how many frames crossed between the parties, and the roots of their hashes",
                                       zh: "双方之间传输的帧数及其哈希树根"),
                       maximumPayloadBytes: Self.smallBytes)
        case .headSignatures:
            return Row(directions: fromArbiter, phases: anyPhase,
                       shape: "round, sent_signature 64, received_signature 64",
                       reveals: Phrase(en: "nothing new", zh: "无新增信息"), maximumPayloadBytes: Self.smallBytes)
        case .directionHead:
            return Row(directions: toArbiter + fromArbiter, phases: anyPhase,
                       shape: "sent, size, root 32, signature 64, proof 32 each (to the arbiter), peer_signature 64 (from the arbiter)",
                       reveals: Phrase(en: "to the arbiter: how many frames crossed in one direction, and the root of their hashes",
                                       zh: "告知仲裁方：某一方向传输的帧数及其哈希树根"),
                       maximumPayloadBytes: Self.smallBytes)
        case .operationsHead:
            return Row(directions: toArbiter + fromArbiter, phases: anyPhase, shape: "size, root 32, signature 64",
                       reveals: Phrase(en: "how many entries the sender's ledger of operations has, and the root of their hashes",
                                       zh: "发送方操作账本的条目数及其哈希树根"),
                       maximumPayloadBytes: Self.smallBytes)
        case .acknowledgement:
            return Row(directions: bothData, phases: [.waiting], shape: "taken",
                       reveals: Phrase(en: "nothing new: how many frames have come", zh: "无新增信息：已收取的帧数"),
                       maximumPayloadBytes: Self.smallBytes)
        case .nodeRegister:
            return Row(directions: toArbiter, phases: [.waiting], shape: "version, contract_digest 32",
                       reveals: Phrase(en: "that the node is up and which contract it holds", zh: "节点已启动及其持有的契约"),
                       maximumPayloadBytes: Self.smallBytes)
        case .nodeRegistered:
            return Row(directions: fromArbiter, phases: [.waiting], shape: "version",
                       reveals: Phrase(en: "nothing new", zh: "无新增信息"), maximumPayloadBytes: Self.smallBytes)
        case .nodePublication:
            return Row(directions: toArbiter, phases: [.waiting], shape: "document (canonical JSON)",
                       reveals: Phrase(en: "of each registered data set: names and types of columns, number of rows; speed, cores and free disk of the machine; who approves jobs",
                                       zh: "各已登记数据集的列名、列类型与行数；本机速度、核数与剩余磁盘空间；任务审批方式"),
                       maximumPayloadBytes: Self.documentBytes)
        case .peerPublication:
            return Row(directions: fromArbiter, phases: [.waiting], shape: "document (canonical JSON)",
                       reveals: Phrase(en: "the same of the other party, for the data set that the job names", zh: "对方的上述内容，仅限任务所用的数据集"),
                       maximumPayloadBytes: Self.documentBytes)
        case .jobOffer:
            return Row(directions: fromArbiter, phases: [.waiting], shape: "specification (canonical JSON), analyst",
                       reveals: Phrase(en: "what is asked for, in full, and by whom", zh: "任务说明全文及提交人"), maximumPayloadBytes: Self.documentBytes)
        case .jobAnswer:
            return Row(directions: toArbiter, phases: [.waiting], shape: "refusal {code, place, arguments} or nothing",
                       reveals: Phrase(en: "that the owner approves, or the rule and the place of the specification that it refuses",
                                       zh: "数据所有方同意，或其拒绝的规则与说明中的位置"),
                       maximumPayloadBytes: Self.smallBytes)
        case .jobStart:
            return Row(directions: fromArbiter, phases: [.waiting], shape: "specification_digest 32",
                       reveals: Phrase(en: "that all owners approved", zh: "全部数据所有方均已同意"), maximumPayloadBytes: Self.smallBytes)
        case .jobProgress:
            return Row(directions: toArbiter, phases: anyPhase, shape: "phase, round, done, total, cut_unix_seconds",
                       reveals: Phrase(en: "how far the job is, in counts", zh: "任务进度（计数）"), maximumPayloadBytes: Self.smallBytes)
        case .roundShare:
            return Row(directions: toArbiter, phases: [.training],
                       shape: "round, padded_gram 24 x (h + 1)(h + 2)/2, settled, rose",
                       reveals: Phrase(en: "to the arbiter: after adding both shares, the inner products of the joint steps; whether each side has settled; whether the loss rose",
                                       zh: "告知仲裁方：两份份额相加后的联合步长内积；各方是否收敛；损失是否上升"),
                       maximumPayloadBytes: Self.smallBytes)
        case .verdict:
            return Row(directions: fromArbiter, phases: [.training], shape: "round, decision, gamma 8 x h",
                       reveals: Phrase(en: "how the earlier steps are combined, and when to stop", zh: "历史步长的组合系数及停止时机"),
                       maximumPayloadBytes: Self.smallBytes)
        case .jobEnd:
            return Row(directions: toArbiter, phases: anyPhase, shape: "fault {code, place, arguments} or nothing",
                       reveals: Phrase(en: "that the job ended at this node, and why", zh: "任务在该节点结束及其原因"),
                       maximumPayloadBytes: Self.smallBytes)
        case .jobStop:
            return Row(directions: fromArbiter, phases: anyPhase, shape: "fault {code, place, arguments}",
                       reveals: Phrase(en: "that the job is over, and why", zh: "任务终止及其原因"), maximumPayloadBytes: Self.smallBytes)
        case .submitJob:
            return Row(directions: ask, phases: [.waiting], shape: "specification (JSON)",
                       reveals: Phrase(en: "what is asked for, in full", zh: "任务说明全文"), maximumPayloadBytes: Self.documentBytes)
        case .listJobs, .showJob, .watchJob, .cancelJob:
            return Row(directions: ask, phases: anyPhase, shape: "nothing",
                       reveals: Phrase(en: "which job the person asks about", zh: "所查询的任务"), maximumPayloadBytes: Self.smallBytes)
        case .jobRecord:
            return Row(directions: reply, phases: anyPhase,
                       shape: "job 16, name, kind, analyst, bank, platform, state, progress, fault, times, approvals, awaited, rounds, expected rounds, attempt",
                       reveals: Phrase(en: "where a job stands; no metric, no data", zh: "任务状态；不含指标与数据"),
                       maximumPayloadBytes: Self.smallBytes)
        case .jobList:
            return Row(directions: reply, phases: anyPhase, shape: "jobs",
                       reveals: Phrase(en: "where the lab's jobs stand; no metric, no data", zh: "实验室各任务状态；不含指标与数据"),
                       maximumPayloadBytes: Self.documentBytes)
        case .refusal:
            return Row(directions: reply, phases: anyPhase, shape: "faults {code, place, arguments}",
                       reveals: Phrase(en: "why the request was refused", zh: "请求被拒绝的原因"), maximumPayloadBytes: 64 << 10)
        case .showPublication:
            return Row(directions: ask, phases: [.waiting], shape: "party",
                       reveals: Phrase(en: "which party the person asks about", zh: "所查询的参与方"), maximumPayloadBytes: Self.smallBytes)
        case .publicationRecord:
            return Row(directions: reply, phases: anyPhase, shape: "document (canonical JSON)",
                       reveals: Phrase(en: "names and types of columns and the number of rows of that party's registered data sets; speed, cores and free disk of its machine; who approves jobs there",
                                       zh: "该方已登记数据集的列名、列类型与行数；其机器速度、核数与剩余磁盘空间；任务审批方式"),
                       maximumPayloadBytes: Self.documentBytes)
        }
    }
}
