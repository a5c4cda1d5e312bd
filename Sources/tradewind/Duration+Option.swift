import ArgumentParser

extension Duration {
    /// Reads an option's text: a number with s, m, h or d, up to ten years.
    init(option text: String, _ name: String) throws {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), count > 0,
            count <= 3650 * 86_400 / unit
        else { throw ValidationError("\(name) must be a number with s, m, h or d, such as 1h, not \"\(text)\"") }
        self = .seconds(count * unit)
    }
}
