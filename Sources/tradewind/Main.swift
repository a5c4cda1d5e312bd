@main
struct Tradewind {
    static func main() {}
}
