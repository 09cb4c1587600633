import Faults
import Foundation

/// GB18030, and with it GBK and GB2312, to UTF-8 by the converter of the C library; fed in chunks of any size.
final class GB18030Decoder {
    private let file: String
    private let converter: iconv_t
    private var pending: [UInt8] = []
    private var line = 1

    /// Throws `.unreadableFile` where the system has no converter.
    init(file: String) throws(Fault) {
        self.file = file
        let converter = iconv_open("UTF-8", "GB18030")
        guard let converter, converter != iconv_t(bitPattern: -1) else { throw Fault(.unreadableFile, at: "gconv/GB18030.so") }
        self.converter = converter
    }

    deinit { iconv_close(converter) }

    /// What `chunk` completes. Throws `.malformedText` with the line of the first byte that means nothing.
    func decode(_ chunk: [UInt8]) throws(Fault) -> [UInt8] {
        var input = pending + chunk
        // Two bytes become at most three, four at most four.
        var output = [UInt8](repeating: 0, count: 2 * input.count + 4)
        let (read, written) = input.withUnsafeMutableBytes { input in
            output.withUnsafeMutableBytes { output in
                var from = input.baseAddress?.assumingMemoryBound(to: CChar.self)
                var to = output.baseAddress?.assumingMemoryBound(to: CChar.self)
                var (unread, free) = (input.count, output.count)
                _ = iconv(converter, &from, &unread, &to, &free)
                return (input.count - unread, output.count - free)
            }
        }
        line += input[..<read].count { $0 == UInt8(ascii: "\n") }
        pending = Array(input[read...])
        // No character has more than four bytes: with as many left, the first of them means nothing.
        if pending.count >= 4 { throw malformed }
        output.removeLast(output.count - written)
        return output
    }

    func finish() throws(Fault) {
        if !pending.isEmpty { throw malformed }
    }

    private var malformed: Fault { Fault(.malformedText, at: "\(file):\(line)", "GB18030") }
}
