// SPDX-License-Identifier: MIT
// A program without popflow and MPI that loads the module at run time and calls it from several threads.
// Usage: host MODULE RUN DAMAGED CONTROL EXPECTED LABELS TREATMENT
//   DAMAGED   run folder whose checkpoint is damaged. The other arguments are those of main.cpp
#include <dlfcn.h>

#include <cstddef>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "read_floats.hpp"

namespace {

using PredictCells = int (*)(const char*, const float*, std::size_t, std::size_t, const char* const*,
                             const char*, float*, char*, std::size_t);

}  // namespace

int main(int argc, char** argv) {
    if (argc != 8) return 2;
    void* module = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
    void* address = module != nullptr ? dlsym(module, "predict_cells") : nullptr;
    if (address == nullptr) {
        std::printf("FAILED: %s\n", dlerror());
        return 1;
    }
    const auto predict_cells = reinterpret_cast<PredictCells>(address);
    const std::vector<float> control = read_floats(argv[4]);
    const std::vector<float> expected = read_floats(argv[5]);
    std::ifstream in(argv[6]);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::vector<const char*> labels;
    for (const std::string& line : lines) labels.push_back(line.c_str());
    const std::size_t cells = labels.size();

    constexpr std::size_t count = 4;
    std::vector<std::vector<float>> treated(count, std::vector<float>(control.size()));
    std::vector<std::string> messages(count, std::string(500, '\0'));
    std::vector<int> codes(count, -1);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < count; ++i) {
        threads.emplace_back([&, i] {
            const char* run = i + 1 < count ? argv[2] : argv[3];
            codes[i] = predict_cells(run, control.data(), cells, control.size() / cells, labels.data(),
                                     argv[7], treated[i].data(), messages[i].data(), messages[i].size());
        });
    }
    for (std::thread& thread : threads) thread.join();
    int failures = 0;
    for (std::size_t i = 0; i + 1 < count; ++i) {
        if (codes[i] == 0 && treated[i] == expected) continue;
        std::printf("FAILED: thread %zu: %s\n", i, messages[i].c_str());
        ++failures;
    }
    if (codes.back() != 1 || messages.back().find("does not match its checksum") == std::string::npos) {
        std::printf("FAILED: the damaged run: %s\n", messages.back().c_str());
        ++failures;
    }
    std::printf("%d failures\n", failures);
    return failures == 0 ? 0 : 1;
}
