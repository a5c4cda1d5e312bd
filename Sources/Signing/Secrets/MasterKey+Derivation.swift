import Crypto

extension MasterKey {
    /// A key for one purpose alone, from which neither the master key nor that of another purpose can be found.
    package func derived(for purpose: StaticString) -> HMACSHA256.Key {
        let code = HMAC<SHA256>.authenticationCode(for: Array(purpose.description.utf8), using: symmetric)
        return HMACSHA256.Key(code.withUnsafeBytes { [UInt8]($0) })
    }
}
