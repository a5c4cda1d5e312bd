import Kernel
import Testing

@testable import Webhooks

@Suite("The breaker of an endpoint")
struct BreakerTests {
    private func open() -> Breaker {
        var breaker = Breaker()
        for _ in 0..<Breaker.failuresMost { _ = breaker.failed(jitter: 0) }
        return breaker
    }

    @Test("Ten failures in a row open it, nine and a success don't")
    func opening() {
        var breaker = Breaker()
        for _ in 0..<5 {
            for _ in 1..<Breaker.failuresMost { #expect(breaker.failed(jitter: 0) == nil) }
            #expect(breaker.succeeded() == nil)
        }
        for _ in 1..<Breaker.failuresMost { #expect(breaker.failed(jitter: 0) == nil) }
        #expect(breaker.failed(jitter: 0) == .opened(trips: 1, wait: .seconds(30)))
        #expect(breaker.state == .open)
    }

    struct Step: Sendable {
        let what: String
        let change: @Sendable (inout Breaker) -> Breaker.Turn?
        let turn: Breaker.Turn?
        let state: Breaker.State
    }

    @Test(
        "From open it goes on as the tries do",
        arguments: [
            [
                Step(what: "a late failure", change: { $0.failed(jitter: 0) }, turn: nil, state: .open),
                Step(what: "a late success", change: { $0.succeeded() }, turn: .closed, state: .closed),
            ],
            [
                Step(
                    what: "a try",
                    change: {
                        $0.probe(); return nil
                    }, turn: nil, state: .halfOpen),
                Step(
                    what: "in vain", change: { $0.failed(jitter: 0) }, turn: .opened(trips: 2, wait: .seconds(60)),
                    state: .open),
                Step(
                    what: "another",
                    change: {
                        $0.probe(); return nil
                    }, turn: nil, state: .halfOpen),
                Step(
                    what: "not sent",
                    change: {
                        $0.abandonProbe(); return nil
                    }, turn: nil, state: .open),
                Step(
                    what: "once more",
                    change: {
                        $0.probe(); return nil
                    }, turn: nil, state: .halfOpen),
                Step(what: "well", change: { $0.succeeded() }, turn: .closed, state: .closed),
            ],
            [
                Step(
                    what: "closed elsewhere",
                    change: {
                        $0.adopt(isOpen: false, trips: 0); return nil
                    }, turn: nil,
                    state: .closed),
                Step(what: "a failure", change: { $0.failed(jitter: 0) }, turn: nil, state: .closed),
                Step(
                    what: "opened elsewhere",
                    change: {
                        $0.adopt(isOpen: true, trips: 3); return nil
                    }, turn: nil,
                    state: .open),
                Step(
                    what: "a try",
                    change: {
                        $0.probe(); return nil
                    }, turn: nil, state: .halfOpen),
                Step(
                    what: "in vain", change: { $0.failed(jitter: 0) }, turn: .opened(trips: 4, wait: .seconds(240)),
                    state: .open),
            ],
        ])
    func steps(steps: [Step]) {
        var breaker = open()
        for step in steps {
            #expect(step.change(&breaker) == step.turn, "\(step.what)")
            #expect(breaker.state == step.state, "\(step.what)")
        }
    }

    @Test(
        "The waits double from half a minute to ten, and jitter only adds",
        arguments: [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 600), (7, 600), (1_000_000, 600)])
    func waits(trips: Int, seconds: Int) {
        #expect(Breaker.wait(trips: trips, jitter: 0) == .seconds(seconds))
        let most = Breaker.wait(trips: trips, jitter: 0.999_999)
        #expect(most > .seconds(seconds) && most <= .milliseconds(seconds * 1100))
    }
}
