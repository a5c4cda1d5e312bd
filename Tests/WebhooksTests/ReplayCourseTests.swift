import Events
import Kernel
import Testing

@testable import Webhooks

@Suite("How far a replay is done with the feed")
struct ReplayCourseTests {
    private func delivery(_ number: UInt64) -> DeliveryID { DeliveryID(high: 0, low: number) }
    private func event(_ number: UInt64) -> EventID { EventID(high: 9, low: number) }

    @Test("It is done with what lies before the first delivery that is not written")
    func order() {
        var course = ReplayCourse(at: 10, unsureFrom: delivery(1))
        #expect(course.isEmpty && course.isSure && !course.hasNews)
        for (number, position) in [(2, 12), (3, 15), (4, 16)] as [(UInt64, Int64)] {
            course.send(delivery(number), at: position)
        }
        course.goThrough(to: 20)
        #expect(course.read == 20 && course.passed == 10 && course.underWay.count == 3)
        course.end(delivery(3))
        #expect(course.passed == 10 && !course.hasNews && !course.isSure)
        course.end(delivery(2))
        #expect(course.passed == 15 && course.hasNews && course.unsureFrom == delivery(4))
        course.note()
        course.end(delivery(4))
        #expect(course.passed == 20 && course.hasNews && course.isEmpty && course.isSure)
        course.end(delivery(4))
        #expect(course.passed == 20, "told twice")
    }

    @Test("Once nothing is under way any more it goes back to the first that was lost, and over what is written")
    func lost() {
        var course = ReplayCourse(at: 0, unsureFrom: delivery(1))
        for number in 1...4 as ClosedRange<UInt64> { course.send(delivery(number), at: Int64(number)) }
        course.end(delivery(1))
        course.lose(delivery(2))
        course.lose(delivery(9))
        #expect(!course.canGoOn && !course.hasToGoBack, "two are still under way")
        course.end(delivery(3))
        course.lose(delivery(4))
        #expect(course.hasToGoBack && course.passed == 1)
        course.goBack(passingOver: [event(3)])
        #expect(course.read == 1 && course.canGoOn && course.unsureFrom == delivery(2))
        var over = [course.passesOver(event(2), at: 2)]
        course.send(delivery(5), at: 2)
        // Each is passed over once.
        for _ in 0..<2 { over.append(course.passesOver(event(3), at: 3)) }
        #expect(over == [false, true, false])
        course.goThrough(to: 3)
        course.end(delivery(5))
        #expect(course.passed == 3 && course.isSure)
    }

    @Test("While events of an earlier turn are not passed over, a crash has to look for their deliveries too")
    func doubts() {
        var course = ReplayCourse(at: 0, doubts: [event(2)], unsureFrom: delivery(1))
        #expect(!course.isSure)
        course.send(delivery(7), at: 1)
        course.send(delivery(8), at: 2)
        course.end(delivery(7))
        #expect(course.passed == 1 && course.unsureFrom == delivery(1))
        let isOver = course.passesOver(event(2), at: 3)
        course.goThrough(to: 3)
        #expect(isOver)
        // The event that was passed over lies behind what is done with, and its row is older than the next delivery.
        #expect(course.passed == 1 && course.unsureFrom == delivery(1) && !course.isSure)
        course.send(delivery(9), at: 4)
        course.end(delivery(8))
        #expect(course.passed == 2 && course.unsureFrom == delivery(1))
        course.end(delivery(9))
        #expect(course.passed == 4 && course.isSure)
    }

    @Test("One call that hangs lets a bounded number by")
    func bound() {
        var course = ReplayCourse(at: 0)
        for number in 0..<UInt64(ReplayCourse.entriesMost) {
            #expect(course.canGoOn)
            course.send(delivery(number + 1), at: Int64(number) + 1)
            if number > 0 { course.end(delivery(number + 1)) }
        }
        #expect(!course.canGoOn && course.underWay.count == 1)
        course.end(delivery(1))
        #expect(course.canGoOn && course.passed == Int64(ReplayCourse.entriesMost))
    }
}
