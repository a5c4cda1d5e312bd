import Kernel
import NIOCore

/// In which order the addresses of a host are tried: the next one when one has failed or is silent for a second,
/// while the silent one may still win. Pure.
struct ConnectRace {
    enum Next: Equatable {
        case connect(IPAddress)
        case wait
        /// None is left, and none is under way.
        case lost
    }

    /// After that long a silent address gets company (RFC 8305 calls for a quarter; our calls are in no such hurry).
    static let patience = TimeAmount.seconds(1)
    /// Addresses that are tried; all are judged.
    private static let triedLimit = 8

    private var untried: ArraySlice<IPAddress>
    private var underWay = 0
    /// What the first address said: it stands for all, as they fail alike in practice.
    private(set) var firstError: ExchangeError?

    init(_ addresses: [IPAddress]) {
        untried = addresses.prefix(ConnectRace.triedLimit)
    }

    var hasUntried: Bool { !untried.isEmpty }

    /// The race begins, or its patience is over.
    mutating func next() -> Next {
        guard let address = untried.popFirst() else { return underWay == 0 ? .lost : .wait }
        underWay += 1
        return .connect(address)
    }

    mutating func failed(_ error: ExchangeError) -> Next {
        underWay -= 1
        if firstError == nil { firstError = error }
        return next()
    }
}
