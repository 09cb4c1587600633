import NIOCore
import Synchronization

/// A port that is listened at.
package final class Listener: Sendable {
    /// The port in use, also where 0 was asked for.
    package let port: Int
    private let channel: any Channel
    private let guests: GuestList

    init(channel: any Channel, guests: GuestList) {
        port = channel.localAddress?.port ?? 0
        self.channel = channel
        self.guests = guests
    }

    /// Takes no more peers and closes the lines to those that are there; their handlers see the end.
    package func close() async {
        try? await channel.close().get()
        await withTaskGroup { group in
            for connection in guests.dismissAll() {
                group.addTask { await connection.close() }
            }
        }
    }
}

/// Who is at a listener. Peers that have proven themselves and those that have not are limited apart, so that strangers
/// cannot take the places of peers, and each peer by itself, so that none can take the places of the others.
final class GuestList: Sendable {
    private struct State {
        var arriving = 0
        /// By the name of who has them.
        var seats: [String: Int] = [:]
        var connections: [ObjectIdentifier: Connection] = [:]
        var isClosed = false
    }

    private static let maximumArriving = 64
    private let maximum: Int
    private let maximumPerPeer: Int
    private let state = Mutex(State())

    init(maximum: Int, perPeer maximumPerPeer: Int) {
        self.maximum = maximum
        self.maximumPerPeer = maximumPerPeer
    }

    /// Before the handshake: false where too many are at it already.
    func arrive() -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.arriving < Self.maximumArriving else { return false }
            state.arriving += 1
            return true
        }
    }

    func turnAway() {
        state.withLock { $0.arriving -= 1 }
    }

    /// After the handshake, for a peer that may come in: false where there is no room, or none for another line of that peer.
    func takeSeat(_ name: String) -> Bool {
        state.withLock { state in
            guard !state.isClosed, state.seats.values.reduce(0, +) < maximum, state.seats[name, default: 0] < maximumPerPeer else { return false }
            state.seats[name, default: 0] += 1
            return true
        }
    }

    /// For a peer that has taken its seat: false where the listener was closed meanwhile.
    func seat(_ connection: Connection) -> Bool {
        state.withLock { state in
            state.arriving -= 1
            state.connections[ObjectIdentifier(connection)] = connection
            return !state.isClosed
        }
    }

    func leave(_ connection: Connection) {
        state.withLock { state in
            state.seats[connection.peerDescription, default: 0] -= 1
            state.connections[ObjectIdentifier(connection)] = nil
        }
    }

    /// Lets nobody in any more; returns those that are there.
    func dismissAll() -> [Connection] {
        state.withLock { state in
            state.isClosed = true
            return Array(state.connections.values)
        }
    }
}
