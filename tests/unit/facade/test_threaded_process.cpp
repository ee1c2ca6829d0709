// SPDX-License-Identifier: MIT
// The library in a process that has running threads and no MPI, such as a Python interpreter.
#include <dlfcn.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "fuzz/readers.hpp"
#include "popflow/popflow.hpp"
#include "support/file_bytes.hpp"
#include "support/temporary_folder.hpp"

using popflow::support::file_bytes;
using popflow::support::put_bytes;
using popflow::support::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// Threads that allocate memory all the time, so that a lock of malloc() is often held.
class BusyThreads {
  public:
    BusyThreads() {
        for (int i = 0; i < 3; ++i) {
            threads_.emplace_back([this] {
                for (std::size_t n = 1; !stop_; n = n % 5000 + 1) {
                    const std::vector<char> memory(n);
                    started_ = started_ || !memory.empty();
                    std::this_thread::yield();
                }
            });
        }
        while (!started_) std::this_thread::yield();
    }
    BusyThreads(const BusyThreads&) = delete;
    BusyThreads& operator=(const BusyThreads&) = delete;
    ~BusyThreads() {
        stop_ = true;
        for (std::thread& thread : threads_) thread.join();
    }

  private:
    std::atomic<bool> stop_{false};
    std::atomic<bool> started_{false};
    std::vector<std::thread> threads_;
};

class ThreadedProcess : public testing::Test {
  protected:
    void SetUp() override {
        popflow::fuzz::write_seeds(folder_.path().string());
        fs::create_directory(run());
    }

    void TearDown() override {
        errno = 0;
        EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
        EXPECT_EQ(errno, ECHILD) << "the library has created a process";
        void* address = ::dlsym(RTLD_DEFAULT, "MPI_Initialized");
        if (address == nullptr) return;
        int initialised = 1;
        reinterpret_cast<int (*)(int*)>(address)(&initialised);
        EXPECT_EQ(initialised, 0);
    }

    std::string run() const { return folder_.file("run"); }
    std::string checkpoint() const { return run() + "/checkpoint.h5"; }

    // Stores a checkpoint of write_seeds() in the run folder.
    void store(const std::string& seed) const {
        fs::copy_file(folder_.file(seed), checkpoint(), fs::copy_options::overwrite_existing);
    }

    // Returns the error message of Model::load(). It must be one line that begins with the file.
    std::string load_error() const {
        try {
            popflow::Model::load(run());
        } catch (const popflow::InvalidInput& error) {
            const std::string message = error.what();
            EXPECT_EQ(message.find('\n'), std::string::npos);
            EXPECT_EQ(message.rfind(checkpoint() + ": ", 0), 0U) << message;
            return message;
        }
        return "";
    }

    void expect_refused(const std::string& part) const {
        EXPECT_NE(load_error().find(part), std::string::npos) << load_error();
    }

    const TemporaryFolder folder_;
    const BusyThreads busy_;
};

const std::vector<float> control{1, 2, 3, 4, 2, 1, 0, 3, 4, 4, 1, 1, 0, 2, 2, 5, 1, 1, 3, 2};

popflow::Cells predict(const popflow::Model& model) {
    return model.predict(
        {control.data(), 5, 4},
        {.treatment = "S", .concentration = 2, .cell_types = {"Fibs", "PDOs", "Fibs", "PDOs", "Fibs"}});
}

void run_in_threads(int count, const std::function<void(int)>& work) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

TEST_F(ThreadedProcess, LoadsAndPredictsInSeveralThreads) {
    for (const char* seed : {"flow.h5", "flow_unsealed.h5", "icnn.h5", "icnn_unsealed.h5"}) {
        store(seed);
        const popflow::Cells expected = predict(popflow::Model::load(run()));
        EXPECT_EQ(expected.values.size(), control.size());
        std::vector<popflow::Cells> found(4);
        run_in_threads(4, [&](int i) { found[i] = predict(popflow::Model::load(run())); });
        for (const popflow::Cells& cells : found) EXPECT_EQ(cells.values, expected.values) << seed;
    }
}

TEST_F(ThreadedProcess, TakesLabelsThatItDoesNotKnowForUnknownTypes) {
    store("flow.h5");
    const popflow::Model model = popflow::Model::load(run());
    const popflow::CellsView cells{control.data(), 5, 4};
    using Types = std::vector<std::string>;
    const Types unknown{"Mac", "PDOs", "", "PDOs", "Fibs "};
    const std::vector<float> zeros = model.embed(cells, {"", "PDOs", "", "PDOs", ""});

    EXPECT_EQ(model.embed(cells, unknown), zeros);
    EXPECT_NE(model.embed(cells, {"Fibs", "PDOs", "Fibs", "PDOs", "Fibs"}), zeros);
    const auto predicted =
        model.predict(cells, {.treatment = "S", .concentration = 2, .cell_types = unknown});
    EXPECT_EQ(predicted.values.size(), control.size());
    EXPECT_THROW(model.embed(cells, Types{"Fibs"}), popflow::InvalidInput) << "one label for five cells";
}

TEST_F(ThreadedProcess, SolvesTransportInSeveralThreads) {
    const popflow::CellsView x{control.data(), 5, 4};
    std::vector<popflow::Cells> shifted(4, {control, 5, 4});
    std::vector<double> values(shifted.size());
    run_in_threads(4, [&](int i) {
        for (float& value : shifted[i].values) value += 1;
        values[i] = popflow::solve_transport(x, shifted[i]).value;
    });
    for (const double value : values) EXPECT_NEAR(value, 4, 1e-6);  // each of four markers moves by one
}

TEST_F(ThreadedProcess, RefusesATruncatedCheckpoint) {
    for (const char* seed : {"flow.h5", "icnn_unsealed.h5"}) {
        for (std::uintmax_t part = 0; part < 40; ++part) {
            store(seed);
            fs::resize_file(checkpoint(), fs::file_size(checkpoint()) * part / 40);
            EXPECT_NE(load_error(), "") << seed << " " << part;
        }
    }
}

TEST_F(ThreadedProcess, RefusesACheckpointThatDoesNotMatchItsChecksum) {
    store("flow.h5");
    const std::string bytes = file_bytes(checkpoint());
    for (std::size_t at = 0; at + 100 < bytes.size(); at += 97) {
        store("flow.h5");
        put_bytes(checkpoint(), at, std::string(1, static_cast<char>(bytes[at] ^ 0x10)));
        expect_refused("does not match its checksum");
    }
}

TEST_F(ThreadedProcess, RefusesAHostileObjectHeader) {
    store("flow_unsealed.h5");
    // An attribute message begins with version, unused byte and length of the name. The name follows after 8
    // bytes.
    const std::size_t name = file_bytes(checkpoint()).find("normalisation_scale");
    ASSERT_NE(name, std::string::npos);
    put_bytes(checkpoint(), name - 6, "\xff\xff");
    expect_refused("is damaged: an attribute is longer than its message");
}

TEST_F(ThreadedProcess, RefusesAForeignFile) {
    std::ofstream(checkpoint()) << "no HDF5 here";
    expect_refused("is not an HDF5 file");
    fs::remove(checkpoint());
    fs::create_directory(checkpoint());
    expect_refused("found a folder");
}
