import Kernel
import NIOCore
import NIOPosix
import NIOSSL

// How a call gets a connection: resolve, judge, connect to exactly that address, secure.
extension Lane {
    /// Makes a connection for the call, and sends the request on it.
    func open(_ call: Call, now: NIODeadline) {
        call.place = .waiting
        switch call.route.url.host {
        case .address(let address):
            // It was judged with the URL.
            race([address], for: call, now: now)
        case .name(let name):
            // Weakly, or a call whose time is over would be kept, with its body, for as long as the resolver tries.
            let answer = parts.addresses.lookUp(name) { [weak call] answer in
                self.loop.execute { [weak call] in
                    if let call { self.resolved(answer, for: call, since: now) }
                }
            }
            if let answer { resolved(answer, for: call, since: now) }
        }
    }

    private func resolved(_ answer: AddressAnswer, for call: Call, since: NIODeadline) {
        guard case .waiting = call.place else { return }
        let now = NIODeadline.now()
        call.phases.dns = Duration(now - since)
        do throws(ExchangeError) {
            let addresses = try answer.get()
            for address in addresses {
                do throws(EgressRefusal) { try parts.policy.judge(address: address, of: call.route.url) } catch {
                    throw ExchangeError(.refusedAddress, error.sentence)
                }
            }
            race(addresses, for: call, now: now)
        } catch {
            finish(call, with: .failure(error))
        }
    }

    private func race(_ addresses: [IPAddress], for call: Call, now: NIODeadline) {
        if call.purpose == .check { return finishCheck(call) }
        let opening = Opening(ConnectRace(addresses), at: now)
        call.place = .opening(opening)
        go(opening.race.next(), opening, for: call, now: now)
    }

    /// The address that is being tried has been silent for long enough.
    func tryNext(_ call: Call, now: NIODeadline) {
        guard case .opening(let opening) = call.place else { return }
        go(opening.race.next(), opening, for: call, now: now)
    }

    private func go(_ next: ConnectRace.Next, _ opening: Opening, for call: Call, now: NIODeadline) {
        opening.nextTry = nil
        switch next {
        case .wait: break
        case .lost:
            finish(call, with: .failure(opening.race.firstError ?? ExchangeError(.dns, "the host has no address")))
        case .connect(let address):
            if opening.race.hasUntried {
                opening.nextTry = now + ConnectRace.patience
                sweep(by: call.due)
            }
            connect(to: address, opening, for: call, now: now)
        }
    }

    private func connect(to address: IPAddress, _ opening: Opening, for call: Call, now: NIODeadline) {
        let connection = Connection(lane: self, opener: call, usesLimit: parts.options.usesPerConnection, now: now)
        let url = call.route.url
        let serverName = call.route.serverName
        let tls = url.scheme == .https ? parts.tls : nil
        let future: EventLoopFuture<any Channel>
        do {
            future = ClientBootstrap(group: loop)
                .connectTimeout(max(call.deadline - now, .milliseconds(1)))
                .channelOption(
                    .recvAllocator,
                    value: AdaptiveRecvByteBufferAllocator(
                        minimum: 512, initial: 1024, maximum: 65_536)
                )
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        opening.channels.append(channel)
                        if let tls {
                            let handler = try NIOSSLClientHandler(context: tls.get(), serverHostname: serverName)
                            try channel.pipeline.syncOperations.addHandler(handler)
                        }
                        try channel.pipeline.syncOperations.addHandler(connection)
                    }
                }
                .connect(to: try SocketAddress(address, port: url.port))
        } catch {
            future = loop.makeFailedFuture(error)
        }
        future.whenComplete { self.connected($0, connection, opening, for: call) }
    }

    private func connected(
        _ result: Result<any Channel, any Error>, _ connection: Connection, _ opening: Opening, for call: Call
    ) {
        let now = NIODeadline.now()
        guard case .opening(let present) = call.place, present === opening, opening.connectedAt == nil else {
            // The call is over, or another address was faster.
            if case .success(let channel) = result { channel.close(promise: nil) }
            return
        }
        switch result {
        case .failure(let error):
            go(opening.race.failed(ExchangeError(connecting: error)), opening, for: call, now: now)
        case .success(let winner):
            call.phases.connect = Duration(now - opening.startedAt)
            opening.connectedAt = now
            opening.nextTry = nil
            for channel in opening.channels where channel !== winner { channel.close(promise: nil) }
            opening.channels = [winner]
            if call.route.url.scheme == .http { opened(connection, for: call) }
        }
    }

    /// The connection is ready for its first request.
    func opened(_ connection: Connection, for call: Call) {
        guard case .opening(let opening) = call.place, let connectedAt = opening.connectedAt else { return }
        if call.route.url.scheme == .https { call.phases.tls = Duration(.now() - connectedAt) }
        if !connection.serve(call) {
            finish(call, with: .failure(ExchangeError(.connect, "the peer closed the connection at once")))
        }
    }

    /// The handshake came to nothing.
    func openingBroke(_ error: ExchangeError, for call: Call) {
        guard case .opening(let opening) = call.place, opening.connectedAt != nil else { return }
        finish(call, with: .failure(error))
    }

    private func finishCheck(_ call: Call) {
        forget(call)
        call.settle(.success(IncomingResponse(status: 0, phases: call.phases)))
    }
}

extension Call {
    /// What the call was doing when its time was over.
    var late: String {
        switch place {
        case .waiting: "\(route.url.hostText) was not resolved in time"
        case .opening(let opening):
            opening.connectedAt == nil ? "no connection in time" : "the handshake did not end in time"
        case .on, .over:
            phases.firstByte == nil ? "no answer in time" : "the answer did not end in time"
        }
    }
}

extension SocketAddress {
    fileprivate init(_ address: IPAddress, port: Int) throws {
        var bytes = ByteBuffer()
        switch address {
        case .v4(let number): bytes.writeInteger(number)
        case .v6(let number):
            bytes.writeInteger(UInt64(truncatingIfNeeded: number >> 64))
            bytes.writeInteger(UInt64(truncatingIfNeeded: number))
        }
        try self.init(packedIPAddress: bytes, port: port)
    }
}
