// SPDX-License-Identifier: MIT
#include "mpi/work_queue.hpp"

#include <mpi.h>

#include <chrono>

#include "mpi/mpi_call.hpp"

namespace popflow::mpi {

namespace {

// Message tags.
constexpr int to_rank_0 = 7001;
constexpr int from_rank_0 = 7002;
constexpr std::int64_t no_item = -1;

}  // namespace

WorkQueue::WorkQueue(std::size_t items, const Communicator& comm)
    : comm_(comm),
      items_(static_cast<std::int64_t>(items)),
      exceptions_at_start_(std::uncaught_exceptions()),
      ended_(comm.size() == 1) {
    if (comm.is_root() && comm.size() > 1) thread_ = std::thread([this] { answer_requests(); });
}

WorkQueue::~WorkQueue() {
    if (std::uncaught_exceptions() != exceptions_at_start_) abandoned_ = true;
    if (thread_.joinable()) thread_.join();
}

std::int64_t WorkQueue::take() {
    const std::scoped_lock lock(mutex_);
    return next_ < items_ ? next_++ : no_item;
}

std::optional<std::size_t> WorkQueue::next() {
    std::int64_t item = no_item;
    if (comm_.is_root()) {
        item = take();
    } else {
        send(Message::ask, 0);
        check(MPI_Recv(&item, 1, MPI_INT64_T, 0, from_rank_0, comm_.impl_->comm, MPI_STATUS_IGNORE),
              "MPI_Recv");
    }
    if (item == no_item) return std::nullopt;
    return static_cast<std::size_t>(item);
}

void WorkQueue::close() {
    if (comm_.is_root()) {
        const std::scoped_lock lock(mutex_);
        next_ = items_;
    } else {
        send(Message::close, 0);
    }
}

void WorkQueue::add_finished(std::size_t amount) {
    if (comm_.is_root()) {
        finished_ += amount;
    } else {
        send(Message::finish, static_cast<std::int64_t>(amount));
    }
}

bool WorkQueue::has_ended() {
    if (!ended_) return false;
    const std::scoped_lock lock(mutex_);
    if (failure_) std::rethrow_exception(failure_);
    return true;
}

void WorkQueue::send(Message message, std::int64_t value) const {
    const std::int64_t words[] = {static_cast<std::int64_t>(message), value};
    check(MPI_Send(words, 2, MPI_INT64_T, 0, to_rank_0, comm_.impl_->comm), "MPI_Send");
}

// Runs in the thread of rank 0.
void WorkQueue::answer_requests() {
    try {
        int active = comm_.size() - 1;
        while (active > 0 && !abandoned_) {
            if (!answer_request(active)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    } catch (...) {
        const std::scoped_lock lock(mutex_);
        failure_ = std::current_exception();
    }
    ended_ = true;
}

// Answers one message. Returns false if no message has arrived.
// `active` counts the ranks that do not know yet that the queue is empty.
bool WorkQueue::answer_request(int& active) {
    MPI_Comm comm = comm_.impl_->comm;
    int has_message = 0;
    MPI_Status status;
    check(MPI_Iprobe(MPI_ANY_SOURCE, to_rank_0, comm, &has_message, &status), "MPI_Iprobe");
    if (has_message == 0) return false;
    std::int64_t words[2];
    check(MPI_Recv(words, 2, MPI_INT64_T, status.MPI_SOURCE, to_rank_0, comm, MPI_STATUS_IGNORE), "MPI_Recv");
    switch (static_cast<Message>(words[0])) {
        case Message::close:
            close();
            break;
        case Message::finish:
            add_finished(static_cast<std::size_t>(words[1]));
            break;
        case Message::ask: {
            const std::int64_t item = take();
            check(MPI_Send(&item, 1, MPI_INT64_T, status.MPI_SOURCE, from_rank_0, comm), "MPI_Send");
            if (item == no_item) --active;
            break;
        }
    }
    return true;
}

}  // namespace popflow::mpi
