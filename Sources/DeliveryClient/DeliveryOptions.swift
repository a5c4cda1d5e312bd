import NIOSSL

/// How a `DeliveryClient` keeps its connections and whom it trusts.
package struct DeliveryOptions: Sendable {
    /// Certificates of further authorities, as PEM, besides those of the system.
    package var trustRoots: [UInt8]?
    /// No fewer than an endpoint has calls at once, or a full window closes and opens connections all the time.
    package var idlePerEndpoint = 128
    /// Over all endpoints; a secured one holds some tens of KiB. The one unused for longest makes room.
    package var idleInAll = 4096
    /// Shorter than the usual 60 to 75 seconds of servers, or a request meets a connection that is just being closed.
    package var idleTime: Duration = .seconds(50)
    /// Lets balancers in front of a receiver spread anew.
    package var usesPerConnection = 1000
    /// After it no request begins on a connection any more, so that a host that has moved is followed.
    package var lifetime: Duration = .seconds(600)

    package init(trustRoots: [UInt8]? = nil) {
        self.trustRoots = trustRoots
    }

    /// Whether a text holds certificates as PEM, one at least, and nothing that can't be read as one.
    package static func areTrustRoots(_ text: [UInt8]) -> Bool {
        do { return try !NIOSSLCertificate.fromPEMBytes(text).isEmpty } catch { return false }
    }
}
