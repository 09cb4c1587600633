// The C library's exp and log differ between machines in the last bit, and a rounding or a comparison may turn on that
// bit. These use the basic operations alone, which IEEE 754 fixes, so that a seed gives the same files everywhere. They
// are right to about 1e-15.

/// e^x, with x held to ±700.
func exponential(_ x: Double) -> Double {
    let x = min(max(x, -700), 700)
    let count = (x * 1.442695040888963407).rounded()
    // ln 2 in two parts: the first has trailing zeros enough that its multiples are exact.
    let rest = (x - count * 0x1.62e42fee00000p-1) - count * 0x1.a39ef35793c76p-33
    var sum = 1.0
    for k in stride(from: 14.0, through: 1, by: -1) { sum = 1 + rest / k * sum }
    return Double(sign: .plus, exponent: Int(count), significand: sum)
}

/// Natural logarithm of a positive, normal number.
func logarithm(_ x: Double) -> Double {
    var exponent = Double(x.exponent)
    var significand = x.significand
    if significand > 1.4142135623730951 {
        significand /= 2
        exponent += 1
    }
    // ln m = 2 artanh((m - 1) / (m + 1))
    let ratio = (significand - 1) / (significand + 1)
    let square = ratio * ratio
    var sum = 0.0
    for k in stride(from: 25.0, through: 1, by: -2) { sum = sum * square + 1 / k }
    return exponent * 0x1.62e42fee00000p-1 + (2 * ratio * sum + exponent * 0x1.a39ef35793c76p-33)
}

func logistic(_ x: Double) -> Double {
    1 / (1 + exponential(-x))
}

/// To so many decimal places, as the files show it.
func rounded(_ x: Double, places: Int) -> Double {
    let scale = powersOfTen[places]
    return (x * scale).rounded() / scale
}

let powersOfTen = [1.0, 10, 100, 1000, 10_000]
