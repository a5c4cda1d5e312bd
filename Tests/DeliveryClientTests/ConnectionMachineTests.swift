import Kernel
import Testing

@testable import DeliveryClient

@Suite struct ConnectionMachineTests {
    private let ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    private let reset = ExchangeError(.body, "connection reset")

    @Test("Requests follow each other on a connection until its uses are over")
    func uses() {
        var machine = ConnectionMachine(usesLimit: 3)
        for _ in 1...2 {
            machine.ask(isHEAD: false, keptLimit: 10)
            #expect(word(&machine, ok) == "answered ok")
        }
        machine.ask(isHEAD: false, keptLimit: 10)
        #expect(word(&machine, ok) == "last ok")
        #expect(machine.uses == 3)
        #expect(word(machine.ended(nil)) == "none")
    }

    @Test("A kept connection that is closed before a byte of the answer has its request sent anew, a new one has not")
    func closedByPeer() {
        for cause in [nil, reset] {
            var machine = ConnectionMachine(usesLimit: 9)
            machine.ask(isHEAD: false, keptLimit: 10)
            #expect(word(machine.ended(cause)) == "failed body")

            machine = ConnectionMachine(usesLimit: 9)
            machine.ask(isHEAD: false, keptLimit: 10)
            _ = word(&machine, ok)
            machine.ask(isHEAD: false, keptLimit: 10)
            #expect(word(machine.ended(cause)) == "anew")
            #expect(word(machine.ended(cause)) == "none")
        }
    }

    @Test(
        "Once a byte has come, an interim answer's too, a request is not sent anew",
        arguments: [
            "H", "HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no",
        ])
    func begunAnswer(_ begun: String) {
        var machine = ConnectionMachine(usesLimit: 9)
        machine.ask(isHEAD: false, keptLimit: 10)
        _ = word(&machine, ok)
        machine.ask(isHEAD: false, keptLimit: 10)
        #expect(word(&machine, begun) == "none")
        #expect(word(machine.ended(nil)) == "failed body")
    }

    @Test("An idle connection is closed by its peer's end, and by bytes that nobody asked for")
    func idle() {
        var machine = ConnectionMachine(usesLimit: 9)
        machine.ask(isHEAD: false, keptLimit: 10)
        _ = word(&machine, ok)
        var other = machine
        #expect(word(machine.ended(nil)) == "close")
        #expect(word(&other, "HTTP/1.1 408 Request Timeout\r\n\r\n") == "close")
        #expect(word(&other, "more") == "none")
    }

    @Test("Bytes behind an answer leave the answer and cost the connection")
    func leftover() {
        var machine = ConnectionMachine(usesLimit: 9)
        machine.ask(isHEAD: false, keptLimit: 10)
        #expect(word(&machine, ok + "HTTP") == "last ok")
    }

    @Test("An answer before the request is written is the last one, after it is not")
    func written() {
        for isWritten in [false, true] {
            var machine = ConnectionMachine(usesLimit: 9)
            machine.ask(isHEAD: false, keptLimit: 10, isWritten: false)
            if isWritten { machine.written() }
            #expect(word(&machine, ok) == (isWritten ? "answered ok" : "last ok"))
        }
    }

    @Test("The rest of a long body is read off while it is short enough")
    func drain() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        var machine = ConnectionMachine(usesLimit: 9)
        machine.ask(isHEAD: false, keptLimit: 2)
        #expect(word(&machine, head + "4\r\nabcd\r\n") == "early ab")
        var other = machine
        #expect(word(&machine, "1\r\ne\r\n") == "none")
        #expect(word(&machine, "0\r\n\r\n") == "release")
        machine.ask(isHEAD: false, keptLimit: 2)
        #expect(word(&machine, ok) == "answered ok")

        #expect(word(&other, "40001\r\n" + String(repeating: "x", count: 0x40001)) == "close")
        #expect(word(other.ended(nil)) == "none")
    }

    @Test("A body that is known to be too long is not read off, nor is one without an end")
    func noDrain() {
        for head in ["HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"] {
            var machine = ConnectionMachine(usesLimit: 9)
            machine.ask(isHEAD: false, keptLimit: 2)
            #expect(word(&machine, head + "abcd") == "last ab")
        }
    }

    @Test("The end of the connection is the end of an answer without a length, unless something broke")
    func untilClose() {
        for (cause, expected) in [(nil, "last abc"), (reset, "failed body")] {
            var machine = ConnectionMachine(usesLimit: 9)
            machine.ask(isHEAD: false, keptLimit: 10)
            #expect(word(&machine, "HTTP/1.1 200 OK\r\n\r\nabc") == "none")
            #expect(word(machine.ended(cause)) == expected)
        }
    }

    @Test("After a switch of protocols there is no HTTP to come")
    func switched() {
        var machine = ConnectionMachine(usesLimit: 9)
        machine.ask(isHEAD: false, keptLimit: 10)
        #expect(word(&machine, "HTTP/1.1 101 Switching Protocols\r\n\r\n") == "last ")
    }

    private func word(_ machine: inout ConnectionMachine, _ text: String) -> String {
        word(Array(text.utf8).withUnsafeBytes { machine.received($0) })
    }

    private func word(_ action: ConnectionMachine.Action) -> String {
        switch action {
        case .none: "none"
        case .answered(let answer): "answered \(String(decoding: answer.body, as: UTF8.self))"
        case .answeredEarly(let answer): "early \(String(decoding: answer.body, as: UTF8.self))"
        case .answeredLast(let answer): "last \(String(decoding: answer.body, as: UTF8.self))"
        case .release: "release"
        case .failed(let error): "failed \(error.errorClass)"
        case .sendAnew: "anew"
        case .close: "close"
        }
    }
}
