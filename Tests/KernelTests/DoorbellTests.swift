import Kernel
import Testing

@Suite("A loop's doorbell")
struct DoorbellTests {
    @Test("a ring that came before spares the next wait, and one only")
    func rungBefore() async {
        let bell = Doorbell()
        bell.ring()
        bell.ring()
        await bell.wait(upTo: .seconds(3_600))
        #expect(!bell.takeRing())
        #expect(bell.alarmsSet == 0)
    }

    @Test("a ring wakes the loop that waits")
    func rungWhileWaiting() async {
        let bell = Doorbell()
        async let wait: Void = bell.wait(upTo: .seconds(3_600))
        await until { bell.isWaitedFor }
        bell.ring()
        await wait
        #expect(!bell.takeRing(), "the ring that woke it spares no other wait")
    }

    @Test("a wait that nobody rings for ends by itself, also behind a longer one")
    func ends() async {
        let bell = Doorbell()
        async let long: Void = bell.wait(upTo: .seconds(3_600))
        await until { bell.isWaitedFor }
        bell.ring()
        await long
        await bell.wait(upTo: .milliseconds(1))
        #expect(bell.alarmsSet == 2, "the shorter wait has a timer of its own")
        await bell.wait(upTo: .zero)
    }

    @Test("waits that rings end share one timer")
    func sharedTimer() async {
        let bell = Doorbell()
        for round in 1...100 {
            async let wait: Void = bell.wait(upTo: .seconds(3_600))
            await until { bell.isWaitedFor }
            #expect(bell.alarmsSet == 1, "round \(round)")
            bell.ring()
            await wait
        }
    }

    @Test("the timer of a wait that was rung for ends no later wait")
    func oldTimer() async {
        let (bell, clock) = (Doorbell(), ContinuousClock())
        async let wait: Void = bell.wait(upTo: .milliseconds(20))
        bell.ring()
        await wait
        let start = clock.now
        await bell.wait(upTo: .milliseconds(100))
        #expect(start.duration(to: clock.now) >= .milliseconds(100))
    }

    @Test("a task that is cancelled waits no more")
    func cancelled() async {
        let bell = Doorbell()
        let task = Task { await bell.wait(upTo: .seconds(3_600)) }
        await until { bell.isWaitedFor }
        task.cancel()
        await task.value
    }

    private func until(_ isTrue: () -> Bool) async {
        while !isTrue() { await Task.yield() }
    }
}
