// SPDX-License-Identifier: MIT
#include "mpi/communicator.hpp"

#include <mpi.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <numeric>
#include <optional>

#include "core/exit_code.hpp"
#include "mpi/finalize_guard.hpp"
#include "mpi/loaded_libraries.hpp"
#include "mpi/mpi_call.hpp"
#include "mpi/singleton_launch.hpp"

namespace popflow::mpi {

namespace {

// Converts a number of elements to the int that MPI takes.
int checked_count(std::size_t n) {
    if (n > max_message_elements) {
        throw core::Error("found an MPI message of " + std::to_string(n) + " elements, which is more than " +
                          std::to_string(max_message_elements));
    }
    return static_cast<int>(n);
}

// Returns the elements that belong to a rank.
template <class T>
std::span<T> part(std::span<T> values, std::span<const std::size_t> bounds, int rank) {
    const auto r = static_cast<std::size_t>(rank);
    return values.subspan(bounds[r], bounds[r + 1] - bounds[r]);
}

}  // namespace

Session::Session(int& argc, char**& argv) : exceptions_at_start_(std::uncaught_exceptions()) {
    prepare_singleton_launch();
    int provided = 0;
    // One thread at a time, but not always the first: see WorkQueue.
    check(MPI_Init_thread(&argc, &argv, MPI_THREAD_SERIALIZED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_SERIALIZED) {
        throw core::MpiError("MPI_Init_thread", provided, "the MPI library does not support threads");
    }
    check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    keep_loaded_libraries();
}

Session::~Session() {
    if (!finished_ && std::uncaught_exceptions() == exceptions_at_start_) MPI_Finalize();
}

int Session::finish(int code) {
    finished_ = true;
    std::fflush(nullptr);
    const int complete = code == core::exit_done || code == core::exit_stopped ? 1 : 0;
    int all_complete = 0;
    check(MPI_Allreduce(&complete, &all_complete, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD), "MPI_Allreduce");
    std::optional<FinalizeGuard> guard;
    if (all_complete == 1) guard.emplace(code);
    MPI_Finalize();
    return code;
}

std::string library() {
    std::array<char, MPI_MAX_LIBRARY_VERSION_STRING> text{};
    int length = 0;
    check(MPI_Get_library_version(text.data(), &length), "MPI_Get_library_version");
    const std::string all(text.data(), static_cast<std::size_t>(length));
    return all.substr(0, all.find_first_of(",\n"));
}

void abort(int code) {
    MPI_Abort(MPI_COMM_WORLD, code);
    std::terminate();
}

Communicator::Impl::Impl(MPI_Comm ranks) {
    check(MPI_Comm_dup(ranks, &comm), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
    check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
}

Communicator::Impl::~Impl() {
    if (is_local()) return;
    int finalized = 0;
    MPI_Finalized(&finalized);
    if (finalized == 0 && std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);
}

Communicator Communicator::world() {
    Communicator communicator;
    communicator.impl_ = std::make_shared<const Impl>(MPI_COMM_WORLD);
    return communicator;
}

Communicator Communicator::duplicate(int handle) {
    Communicator communicator;
    communicator.impl_ = std::make_shared<const Impl>(MPI_Comm_f2c(handle));
    return communicator;
}

Communicator Communicator::self() {
    Communicator communicator;
    communicator.impl_ = std::make_shared<const Impl>();
    return communicator;
}

int Communicator::rank() const {
    return impl_->rank;
}

int Communicator::size() const {
    return impl_->size;
}

int Communicator::ranks_on_host() const {
    if (impl_->is_local()) return 1;
    MPI_Comm host = MPI_COMM_NULL;
    int size = 1;
    check(MPI_Comm_split_type(impl_->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host),
          "MPI_Comm_split_type");
    check(MPI_Comm_size(host, &size), "MPI_Comm_size");
    check(MPI_Comm_free(&host), "MPI_Comm_free");
    return size;
}

void Communicator::barrier() const {
    if (impl_->is_local()) return;
    check(MPI_Barrier(impl_->comm), "MPI_Barrier");
}

void Communicator::sum(std::span<std::int64_t> values) const {
    if (impl_->is_local()) return;
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), checked_count(values.size()), MPI_INT64_T, MPI_SUM,
                        impl_->comm),
          "MPI_Allreduce");
}

void Communicator::all_gather(std::span<float> values, std::span<const std::size_t> bounds) const {
    if (impl_->size == 1) return;
    std::vector<int>& offsets = impl_->offsets;
    std::vector<int>& counts = impl_->counts;
    offsets.clear();
    counts.clear();
    for (int r = 0; r < impl_->size; ++r) {
        offsets.push_back(checked_count(bounds[static_cast<std::size_t>(r)]));
        counts.push_back(checked_count(part(values, bounds, r).size()));
    }
    check(MPI_Allgatherv(MPI_IN_PLACE, 0, MPI_FLOAT, values.data(), counts.data(), offsets.data(), MPI_FLOAT,
                         impl_->comm),
          "MPI_Allgatherv");
}

void Communicator::sum(std::span<double> values) const {
    if (impl_->is_local()) return;
    check(MPI_Allreduce(MPI_IN_PLACE, values.data(), checked_count(values.size()), MPI_DOUBLE, MPI_SUM,
                        impl_->comm),
          "MPI_Allreduce");
}

std::vector<std::string> Communicator::gather(const std::string& text, std::size_t max_bytes) const {
    if (impl_->is_local()) return {text};
    const auto ranks = static_cast<std::size_t>(impl_->size);
    std::vector<std::int64_t> lengths(ranks);
    const std::int64_t length = std::ssize(text);
    check(MPI_Allgather(&length, 1, MPI_INT64_T, lengths.data(), 1, MPI_INT64_T, impl_->comm),
          "MPI_Allgather");
    // Gathers in rounds: each round receives at most max_bytes, an equal share of every text.
    const auto piece = static_cast<std::int64_t>(std::max<std::size_t>(1, max_bytes / ranks));
    const std::int64_t longest = *std::ranges::max_element(lengths);
    std::vector<std::string> texts(is_root() ? ranks : 0);
    std::vector<int> counts(ranks);
    std::vector<int> offsets(ranks);
    std::string all;
    for (std::int64_t done = 0; done < longest; done += piece) {
        const auto bytes_now = [&](std::int64_t total) {
            return static_cast<int>(std::clamp<std::int64_t>(total - done, 0, piece));
        };
        std::ranges::transform(lengths, counts.begin(), bytes_now);
        std::exclusive_scan(counts.begin(), counts.end(), offsets.begin(), 0);
        if (is_root())
            all.resize(static_cast<std::size_t>(offsets.back()) + static_cast<std::size_t>(counts.back()));
        check(MPI_Gatherv(text.data() + std::min(done, length), bytes_now(length), MPI_CHAR, all.data(),
                          counts.data(), offsets.data(), MPI_CHAR, 0, impl_->comm),
              "MPI_Gatherv");
        for (std::size_t r = 0; r < texts.size(); ++r)
            texts[r].append(all, static_cast<std::size_t>(offsets[r]), static_cast<std::size_t>(counts[r]));
    }
    return texts;
}

}  // namespace popflow::mpi
