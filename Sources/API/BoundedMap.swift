/// A dictionary that never holds more than a given number of entries: two generations, of which the older is dropped
/// whole when the younger is full. What is used stays, what is not goes, and no operation walks over the entries.
struct BoundedMap<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let generationLimit: Int
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]

    init(limit: Int) { generationLimit = max(1, limit / 2) }

    var count: Int { young.count + old.count }

    /// Looks an entry up; being asked for keeps it.
    mutating func value(_ key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= generationLimit && young[key] == nil { age() }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }

    mutating func removeAll() {
        young = [:]
        old = [:]
    }

    /// Drops what was not used since the last call.
    mutating func age() {
        old = young
        young = [:]
    }
}
