-- A dissector of JointLab's lines for Wireshark and tshark: frames inside TLS, as wire.md describes them.
--
--     tshark -X lua_script:Protocols/jointlab.lua -r capture.pcap -o tls.keylog_file:keys.log -Y jointlab
--
-- It needs the secrets of the connections (a TLS key log). A node writes them only in a laboratory whose contract says that
-- it is one: specification.md, "Configuration of a node", insecure_key_log. With Wireshark's search path for Protocol
-- Buffers set to this folder, payloads are shown field by field.
--
-- The two tables below are those of the programs: a test compares them.

local kinds = {
    [1] = "Hello",
    [2] = "Nonce",
    [3] = "PaillierKey",
    [4] = "AlignmentOpening",
    [5] = "BlindedPoints",
    [6] = "SeedReveal",
    [7] = "DoublyBlindedPoints",
    [8] = "Matches",
    [9] = "Columns",
    [10] = "Curvature",
    [11] = "RoundRows",
    [12] = "MaskedValues",
    [13] = "ReturnedBits",
    [14] = "PartialScores",
    [15] = "Closing",
    [16] = "Abort",
    [17] = "LedgerHeads",
    [18] = "Acknowledgement",
    [25] = "BlindingProgress",
    [26] = "SortedPoints",
    [27] = "IntersectionSize",
    [64] = "NodeRegister",
    [65] = "NodeRegistered",
    [66] = "JobOffer",
    [67] = "JobAnswer",
    [68] = "JobStart",
    [69] = "JobProgress",
    [70] = "RoundShare",
    [71] = "Verdict",
    [72] = "JobEnd",
    [73] = "JobStop",
    [74] = "HeadSubmission",
    [75] = "HeadSignatures",
    [76] = "NodePublication",
    [77] = "PeerPublication",
    [80] = "OperationsHead",
    [81] = "DirectionHead",
    [128] = "SubmitJob",
    [129] = "ListJobs",
    [130] = "ShowJob",
    [131] = "WatchJob",
    [132] = "CancelJob",
    [133] = "JobRecord",
    [134] = "JobList",
    [135] = "Refusal",
    [136] = "ShowPublication",
    [137] = "PublicationRecord",
}

local phases = {
    [0] = "waiting",
    [1] = "opening",
    [2] = "alignment",
    [3] = "preparation",
    [4] = "training",
    [5] = "scoring",
    [6] = "closing",
}

local header_bytes = 56
local welcome_bytes = 8
local magic = 0x4a4c3032 -- "JL02"

local jointlab = Proto("jointlab", "JointLab")
local field = {
    kind = ProtoField.uint16("jointlab.kind", "Kind", base.DEC, kinds),
    phase = ProtoField.uint16("jointlab.phase", "Phase", base.DEC, phases),
    length = ProtoField.uint32("jointlab.length", "Length of the payload"),
    attempt = ProtoField.uint32("jointlab.attempt", "Attempt"),
    job = ProtoField.bytes("jointlab.job", "Job"),
    sequence = ProtoField.uint64("jointlab.sequence", "Sequence"),
    salt = ProtoField.bytes("jointlab.salt", "Salt"),
    payload = ProtoField.bytes("jointlab.payload", "Payload"),
    status = ProtoField.uint16("jointlab.status", "Welcome: 0, or the number of a fault"),
}
jointlab.fields = { field.kind, field.phase, field.length, field.attempt, field.job, field.sequence, field.salt, field.payload, field.status }

local function dissect_frame(buffer, pinfo, tree)
    local kind, length = buffer(4, 2):uint(), buffer(8, 4):uint()
    local name = kinds[kind] or ("kind " .. kind)
    local branch = tree:add(jointlab, buffer(0, header_bytes + length), "JointLab " .. name .. ", " .. length .. " bytes")
    branch:add(field.kind, buffer(4, 2))
    branch:add(field.phase, buffer(6, 2))
    branch:add(field.length, buffer(8, 4))
    branch:add(field.attempt, buffer(12, 4))
    branch:add(field.job, buffer(16, 16))
    branch:add(field.sequence, buffer(32, 8))
    branch:add(field.salt, buffer(40, 16))
    if length > 0 then
        local payload = buffer(header_bytes, length)
        branch:add(field.payload, payload)
        if kinds[kind] then
            pinfo.private["pb_msg_type"] = "message,jointlab." .. name
            pcall(function() Dissector.get("protobuf"):call(payload:tvb(), pinfo, branch) end)
        end
    end
    return name
end

-- The listening end's first 8 bytes: a frame cannot begin with them, for its bytes 4 to 7 hold a kind, and none is a status
-- that comes with two zero bytes where a frame of kind 1 to 17 has a phase other than 0.
local function is_welcome(buffer)
    local status = buffer(4, 2):uint()
    return buffer(6, 2):uint() == 0 and (status == 0 or not kinds[status])
end

function jointlab.dissector(buffer, pinfo, tree)
    local at, names = 0, {}
    while at < buffer:len() do
        local rest = buffer:len() - at
        if rest < welcome_bytes then
            pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
            break
        end
        if buffer(at, 4):uint() ~= magic then return at end
        if is_welcome(buffer(at)) then
            tree:add(jointlab, buffer(at, welcome_bytes), "JointLab welcome"):add(field.status, buffer(at + 4, 2))
            names[#names + 1] = "welcome"
            at = at + welcome_bytes
        else
            if rest < header_bytes then
                pinfo.desegment_offset, pinfo.desegment_len = at, DESEGMENT_ONE_MORE_SEGMENT
                break
            end
            local missing = header_bytes + buffer(at + 8, 4):uint() - rest
            if missing > 0 then
                pinfo.desegment_offset, pinfo.desegment_len = at, missing
                break
            end
            names[#names + 1] = dissect_frame(buffer(at):tvb(), pinfo, tree)
            at = at + header_bytes + buffer(at + 8, 4):uint()
        end
    end
    pinfo.cols.protocol = "JointLab"
    if #names > 0 then pinfo.cols.info = table.concat(names, ", ") end
    return buffer:len()
end

jointlab:register_heuristic("tls", function(buffer, pinfo, tree)
    if buffer:len() < welcome_bytes or buffer(0, 4):uint() ~= magic then return false end
    pinfo.conversation = jointlab
    jointlab.dissector(buffer, pinfo, tree)
    return true
end)
