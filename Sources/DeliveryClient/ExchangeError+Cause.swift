import Kernel
import NIOCore
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ExchangeError {
    /// Longest text of an underlying error that is kept with an attempt.
    private static let detailCharactersLimit = 400

    /// Why no TCP connection came about.
    init(connecting error: any Error) {
        switch error {
        case let error as ExchangeError: self = error
        case ChannelError.connectTimeout: self.init(.timeout, "no connection in time")
        case let error as IOError where error.errnoCode == ETIMEDOUT: self.init(.timeout, Self.words(of: error))
        case is NIOSSLExtraError: self.init(.tls, Self.words(of: error))
        default: self.init(.connect, Self.words(of: error))
        }
    }

    /// What broke a connection: while it was being secured, or later.
    init(broken error: any Error, inHandshake: Bool) {
        switch error {
        case let error as ExchangeError: self = error
        case let error as IOError where error.errnoCode == ETIMEDOUT: self.init(.timeout, Self.words(of: error))
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError: self.init(.tls, Self.words(of: error))
        default: self.init(inHandshake ? .tls : .body, Self.words(of: error))
        }
    }

    private static func words(of error: any Error) -> String {
        String(String(describing: error).prefix(detailCharactersLimit))
    }
}
