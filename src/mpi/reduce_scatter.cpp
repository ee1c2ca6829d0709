// SPDX-License-Identifier: MIT
#include "mpi/reduce_scatter.hpp"

#include <mpi.h>

#include <algorithm>
#include <vector>

#include "core/aligned.hpp"
#include "mpi/mpi_call.hpp"
#include "mpi/packed_integers.hpp"

namespace popflow::mpi {

namespace {

constexpr int tag = 1;
// Maximum number of pieces of a part. It bounds the size of its message.
constexpr std::size_t max_pieces = 64;

// Maximum number of words of the message of a part of `count` integers.
constexpr std::size_t max_words(std::size_t count) {
    return count + max_pieces * packed_words(0);
}

// Buffer of uninitialised words that grows to the largest size requested and never shrinks.
class WordBuffer {
  public:
    std::uint64_t* reserve(std::size_t count) {
        if (count > size_) {
            words_ = core::AlignedArray<std::uint64_t>(count);
            size_ = count;
        }
        return words_.data();
    }
    std::uint64_t* data() { return words_.data(); }

  private:
    core::AlignedArray<std::uint64_t> words_;
    std::size_t size_ = 0;
};

}  // namespace

// Each rank sends each part to its owner, which adds the parts that it receives. Between two ranks of one
// machine this takes a third of the time of MPI_Reduce_scatter, which copies through buffers of its own.
struct ReduceScatter::Impl {
    Communicator communicator;
    std::size_t rank;
    std::size_t size;
    std::span<std::int64_t> values{};
    std::span<const std::size_t> bounds{};
    WordBuffer sent{};
    WordBuffer received{};                ///< messages of the other ranks, for the part of this rank
    std::vector<MPI_Request> receives{};  ///< one request per other rank
    std::vector<MPI_Request> sends{};     ///< one request per other rank
    std::size_t unsent = 0;               ///< number of leading parts that have not been sent
    std::size_t unpacked = 0;             ///< number of leading elements that have not been packed
    std::uint64_t* message = nullptr;     ///< message of the last unsent part
    std::size_t words = 0;                ///< number of words in that message so far
    std::size_t pieces = 0;               ///< number of pieces in that message so far
    bool started = false;

    std::span<std::int64_t> part(std::size_t r) const {
        return values.subspan(bounds[r], bounds[r + 1] - bounds[r]);
    }
    // Part of this rank.
    std::span<std::int64_t> own() const { return part(rank); }
    void next_part();
    bool pack_from(std::size_t first);
    void send();
    template <class F>
    void for_pieces(std::size_t which, const F& f);
};

ReduceScatter::ReduceScatter(const Communicator& communicator)
    : impl_(new Impl{.communicator = communicator,
                     .rank = static_cast<std::size_t>(communicator.rank()),
                     .size = static_cast<std::size_t>(communicator.size())}) {}
ReduceScatter::~ReduceScatter() = default;
ReduceScatter::ReduceScatter(ReduceScatter&&) noexcept = default;

bool ReduceScatter::started() const {
    return impl_->started;
}

// Moves on to the preceding part. Skips the part of this rank, which is not sent.
void ReduceScatter::Impl::next_part() {
    message += words;
    if (unsent > 0 && unsent - 1 == rank) --unsent;
    unpacked = bounds[unsent];
    words = 0;
    pieces = 0;
}

// Packs the final elements of the last unsent part. Returns whether the part is now complete.
bool ReduceScatter::Impl::pack_from(std::size_t first) {
    const std::size_t begin = std::max(first, bounds[unsent - 1]);
    const bool complete = begin == bounds[unsent - 1];
    if (begin < unpacked && (complete || pieces + 1 < max_pieces)) {
        words += pack(values.subspan(begin, unpacked - begin), message + words);
        ++pieces;
        unpacked = begin;
    }
    return complete;
}

// Starts to send the last unsent part to its rank.
void ReduceScatter::Impl::send() {
    const std::size_t to = --unsent;
    check(MPI_Isend(message, static_cast<int>(words), MPI_UINT64_T, static_cast<int>(to), tag,
                    communicator.impl_->comm, &sends[to < rank ? to : to - 1]),
          "MPI_Isend");
}

void ReduceScatter::start(std::span<std::int64_t> values, std::span<const std::size_t> bounds) {
    Impl& s = *impl_;
    s.values = values;
    s.bounds = bounds;
    s.started = true;
    s.receives.assign(s.size - 1, MPI_REQUEST_NULL);
    s.sends.assign(s.size - 1, MPI_REQUEST_NULL);
    const std::size_t message_words = max_words(s.own().size());
    std::uint64_t* received = s.received.reserve((s.size - 1) * message_words);
    for (std::size_t k = 1; k < s.size; ++k) {
        const auto from = static_cast<int>((s.rank + s.size - k) % s.size);
        check(MPI_Irecv(received + (k - 1) * message_words, static_cast<int>(message_words), MPI_UINT64_T,
                        from, tag, s.communicator.impl_->comm, &s.receives[k - 1]),
              "MPI_Irecv");
    }
    s.message = s.sent.reserve(values.size() - s.own().size() + (s.size - 1) * max_words(0));
    s.unsent = s.size;
    s.words = 0;
    s.next_part();
}

void ReduceScatter::mark_final_from(std::size_t first) {
    Impl& s = *impl_;
    while (s.unsent > 0 && s.pack_from(first)) {
        s.send();
        s.next_part();
    }
    if (s.sends.empty()) return;  // a single rank, which may have no MPI
    // MPI libraries make progress on messages only inside MPI calls.
    int all_sent = 0;
    check(MPI_Testall(static_cast<int>(s.sends.size()), s.sends.data(), &all_sent, MPI_STATUSES_IGNORE),
          "MPI_Testall");
}

// Calls f(piece, index of its first element in the part of this rank) for the pieces of a received message.
template <class F>
void ReduceScatter::Impl::for_pieces(std::size_t which, const F& f) {
    const std::uint64_t* at = received.data() + which * max_words(own().size());
    for (std::size_t first = own().size(); first > 0;) {
        const PackedPiece piece(at);
        first -= piece.count();
        f(piece, first);
        at += piece.words();
    }
}

void ReduceScatter::finish(double scale, std::span<float> out) {
    Impl& s = *impl_;
    mark_final_from(0);
    std::int64_t* own = s.own().data();
    if (s.size == 1) scale_integers(s.own(), scale, out.data());
    for (std::size_t k = 1; k < s.size; ++k) {
        int which = 0;
        check(MPI_Waitany(static_cast<int>(s.receives.size()), s.receives.data(), &which, MPI_STATUS_IGNORE),
              "MPI_Waitany");
        const bool last = k + 1 == s.size;
        s.for_pieces(static_cast<std::size_t>(which), [&](const PackedPiece& piece, std::size_t first) {
            if (last) {
                piece.add_and_scale(own + first, scale, out.data() + first);
            } else {
                piece.add_to(own + first);
            }
        });
    }
    if (!s.sends.empty())
        check(MPI_Waitall(static_cast<int>(s.sends.size()), s.sends.data(), MPI_STATUSES_IGNORE),
              "MPI_Waitall");
    s.started = false;
}

}  // namespace popflow::mpi
