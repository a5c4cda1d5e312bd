import NIOSSL

/// How a `DeliveryClient` keeps its connections and whom it trusts.
package struct DeliveryOptions: Sendable {
    /// Further authorities besides those of the system.
    package var trustRoots: TrustRoots?
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

    package init(trustRoots: TrustRoots? = nil) {
        self.trustRoots = trustRoots
    }
}

/// Certificates of authorities that an operator trusts.
package struct TrustRoots: Sendable {
    let certificates: [NIOSSLCertificate]

    /// Nil unless the text holds certificates as PEM, one at least, and nothing that can't be read as one.
    package init?(pem text: [UInt8]) {
        do { certificates = try NIOSSLCertificate.fromPEMBytes(text) } catch { return nil }
        if certificates.isEmpty { return nil }
    }
}
