import AsyncHTTPClient
import Kernel
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension ExchangeError {
    /// Longest text of an underlying error that is kept with an attempt.
    private static let detailCharactersLimit = 400

    /// The class of an error of the client or of the system, with its own words as the detail.
    init(cause error: any Error) {
        switch error {
        case let error as ExchangeError:
            self = error
        case let refusal as EgressRefusal:
            self.init(.refusedAddress, refusal.sentence)
        case let error as HTTPClientError:
            self.init(ExchangeError.errorClass(of: error), error.shortDescription)
        case let error as NIOConnectionError:
            self.init(ExchangeError.errorClass(of: error), ExchangeError.words(of: error))
        case let error as ChannelError:
            if case .connectTimeout = error {
                self.init(.timeout, "no connection in time")
            } else {
                self.init(.body, ExchangeError.words(of: error))
            }
        case let error as IOError:
            self.init(ExchangeError.errorClass(ofCode: error.errnoCode), ExchangeError.words(of: error))
        case NIOSSLError.uncleanShutdown:
            // The peer closed without the closing alert: the handshake was long over.
            self.init(.body, ExchangeError.words(of: error))
        case is NIOSSLError, is NIOSSLExtraError, is BoringSSLError:
            self.init(.tls, ExchangeError.words(of: error))
        default:
            self.init(.body, ExchangeError.words(of: error))
        }
    }

    private static func words(of error: any Error) -> String {
        String(String(describing: error).prefix(detailCharactersLimit))
    }

    private static func errorClass(of error: HTTPClientError) -> Class {
        switch error {
        case .deadlineExceeded, .readTimeout, .writeTimeout, .connectTimeout, .getConnectionFromPoolTimeout, .cancelled:
            .timeout
        case .tlsHandshakeTimeout: .tls
        case .alreadyShutdown: .connect
        default: .body
        }
    }

    /// Every address of the host was tried; the first failure stands for all, as they are alike in practice.
    private static func errorClass(of error: NIOConnectionError) -> Class {
        guard let first = error.connectionErrors.first else { return .dns }
        return ExchangeError(cause: first.error).errorClass == .timeout ? .timeout : .connect
    }

    private static func errorClass(ofCode code: CInt) -> Class {
        switch code {
        // The peer was there and broke off.
        case ECONNRESET, EPIPE, ENOTCONN: .body
        case ETIMEDOUT: .timeout
        default: .connect
        }
    }
}
