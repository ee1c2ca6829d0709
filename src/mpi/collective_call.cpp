// SPDX-License-Identifier: MIT
#include "mpi/collective_call.hpp"

#include <mpi.h>

#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <thread>

#include "core/error.hpp"
#include "core/exit_code.hpp"
#include "core/utf8.hpp"
#include "mpi/mpi_call.hpp"

namespace popflow::mpi {

namespace {

// Duplicate of a communicator that returns errors.
struct Duplicate {
    MPI_Comm comm = MPI_COMM_NULL;
    explicit Duplicate(MPI_Comm ranks) {
        check(MPI_Comm_dup(ranks, &comm), "MPI_Comm_dup");
        check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    }
    ~Duplicate() {
        if (std::uncaught_exceptions() == 0) MPI_Comm_free(&comm);
    }
    Duplicate(const Duplicate&) = delete;
    Duplicate& operator=(const Duplicate&) = delete;
};

// How the work ended on a rank.
struct Ending {
    std::exception_ptr error;    // null if the work returned
    std::string text;            // text of the error
    bool is_user_error = false;  // whether the error is a core::UserError
    int code = core::exit_done;  // result of work that returned
};

Ending end_of(const std::function<int(const Communicator&)>& work, const Communicator& ranks) {
    Ending ending;
    try {
        ending.code = work(ranks);
        return ending;
    } catch (const core::UserError& error) {
        ending.text = error.what();
        ending.is_user_error = true;
        ending.error = std::current_exception();
    } catch (const std::bad_alloc&) {
        ending.text = "out of memory";
        ending.error = std::current_exception();
    } catch (const std::exception& error) {
        ending.text = error.what();
        ending.error = std::current_exception();
    } catch (...) {
        ending.text = "unknown error";
        ending.error = std::current_exception();
    }
    return ending;
}

// Returns the communicator of a handle. @throws core::UserError as call_collectively()
MPI_Comm communicator_of(int handle) {
    int is_initialised = 0;
    check(MPI_Initialized(&is_initialised), "MPI_Initialized");
    if (is_initialised == 0)
        throw core::UserError("comm: the MPI library that popflow uses is not initialised in this process (" +
                              library() + "). Build mpi4py with this library");
    int is_finalised = 0;
    check(MPI_Finalized(&is_finalised), "MPI_Finalized");
    if (is_finalised != 0)
        throw core::UserError("comm: MPI is finalised. Call popflow before MPI.Finalize()");
    int level = MPI_THREAD_SINGLE;
    check(MPI_Query_thread(&level), "MPI_Query_thread");
    if (level < MPI_THREAD_SERIALIZED)
        throw core::UserError(
            "comm: MPI was initialised without support for threads. Initialise it with THREAD_SERIALIZED or "
            "THREAD_MULTIPLE, the default of mpi4py");
    MPI_Comm comm = MPI_Comm_f2c(handle);
    if (comm == MPI_COMM_NULL)
        throw core::UserError(
            "comm: found a null communicator. Call popflow on the ranks of a communicator only");
    int is_inter = 0;
    check(MPI_Comm_test_inter(comm, &is_inter), "MPI_Comm_test_inter");
    if (is_inter != 0) throw core::UserError("comm: found an intercommunicator. Give an intracommunicator");
    return comm;
}

// Waits until the work has ended on all ranks. A rank whose work failed aborts all ranks after the time
// `grace`. On return, counts has the numbers of failed ranks and of ranks with another error than a
// core::UserError.
void wait_for_all(MPI_Comm comm, const Ending& ending, std::array<int, 2>& counts,
                  std::chrono::milliseconds grace) {
    counts = {ending.error ? 1 : 0, ending.error && !ending.is_user_error ? 1 : 0};
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(MPI_IN_PLACE, counts.data(), 2, MPI_INT, MPI_SUM, comm, &request), "MPI_Iallreduce");
    const auto deadline = std::chrono::steady_clock::now() + grace;
    for (int has_ended = 0; true; std::this_thread::sleep_for(std::chrono::milliseconds(1))) {
        check(MPI_Test(&request, &has_ended, MPI_STATUS_IGNORE), "MPI_Test");
        if (has_ended != 0) return;
        if (ending.error && std::chrono::steady_clock::now() > deadline) break;
    }
    int rank = 0;
    check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
    std::fprintf(stderr, "popflow: rank %d: %s\n", rank, core::printable(ending.text).c_str());
    std::fflush(nullptr);
    abort(ending.is_user_error ? core::exit_bad_input : core::exit_failed);
}

}  // namespace

int call_collectively(int handle, const std::function<int(const Communicator&)>& work,
                      std::chrono::milliseconds grace) {
    Ending ending;
    std::array<int, 2> counts{};
    std::string other_error;
    {
        // The endings have a communicator of their own, so that they do not match messages that the work left
        // behind.
        const Duplicate ends(communicator_of(handle));
        const Communicator ranks = Communicator::duplicate(handle);
        ending = end_of(work, ranks);
        wait_for_all(ends.comm, ending, counts, grace);
        check(MPI_Allreduce(MPI_IN_PLACE, &ending.code, 1, MPI_INT, MPI_MAX, ends.comm), "MPI_Allreduce");
        if (counts[0] > 0) {
            for (const std::string& text :
                 Communicator::duplicate(MPI_Comm_c2f(ends.comm)).gather(ending.text)) {
                if (other_error.empty()) other_error = text;
            }
        }
    }
    if (ending.error) std::rethrow_exception(ending.error);
    if (counts[0] == 0) return ending.code;
    if (other_error.empty()) other_error = "another rank failed";
    if (counts[1] == 0) throw core::UserError(other_error);
    throw core::Error(other_error);
}

}  // namespace popflow::mpi
