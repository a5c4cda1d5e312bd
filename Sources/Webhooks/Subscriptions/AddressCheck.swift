import Kernel

/// Asks where a subscription's URL leads before it is saved.
package struct AddressCheck: Sendable {
    private let check: @Sendable (_ url: String) async throws(ExchangeError) -> Void

    /// - Parameter check: resolves the URL's host and judges each of its addresses, without connecting.
    package init(check: @escaping @Sendable (_ url: String) async throws(ExchangeError) -> Void) {
        self.check = check
    }

    /// Refuses a URL whose host has an address that no delivery may go to.
    ///
    /// A name that can't be resolved at this moment is let through: a receiver's name may be published after its
    /// subscription, a resolver may be slow, and each delivery is judged again on the address that it goes to.
    func require(_ url: String) async throws {
        do throws(ExchangeError) {
            try await check(url)
        } catch {
            guard error.errorClass == .refusedAddress else { return }
            throw InvalidDocument(pointer: "/url", detail: error.detail)
        }
    }
}
