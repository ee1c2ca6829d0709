// SPDX-License-Identifier: MIT
// time_metrics FILE N M D [NAME...]: times metrics between the populations x [N, D] and y [M, D], which FILE
// holds one after the other as float32. Prints a line `name value seconds cpu_seconds` per metric, then
// `peak_mib VALUE`. NAME selects metrics:
//   w1 w2 w1_and_w2 coupling mmd r2  the default
//   sinkhorn                         Sinkhorn divergence with the default options
//   entropic:EPSILON:TOLERANCE       entropic transport for squared distances. EPSILON is in units of the
//                                    cost, TOLERANCE the allowed 1-norm error of the column marginals. Also
//                                    prints `entropic_cost`, <P, C>, and `entropic_sweeps`.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "metrics/correlation.hpp"
#include "metrics/mmd.hpp"
#include "metrics/sinkhorn_divergence.hpp"
#include "metrics/wasserstein.hpp"
#include "ot/coupling.hpp"
#include "ot/sinkhorn.hpp"

namespace {

using popflow::linalg::Matrix;

Matrix<float> read_rows(std::ifstream& file, std::size_t n, std::size_t d) {
    Matrix<float> x(n, d);
    file.read(reinterpret_cast<char*>(x.data()), static_cast<std::streamsize>(x.size() * sizeof(float)));
    return x;
}

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Returns the peak resident memory of this program. getrusage() would include that of the process that called
// exec().
double peak_mib() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
    }
    return 0;
}

using Names = std::vector<std::string>;

// Prints value and times of `metric` if `names` is empty or contains `name`.
void time_one(const Names& names, const char* name, const std::function<double()>& metric) {
    if (!names.empty() && std::ranges::find(names, name) == names.end()) return;
    const double cpu = cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const double value = metric();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::printf("%s %.12g %.6f %.6f\n", name, value, seconds.count(), cpu_seconds() - cpu);
}

// Times Sinkhorn's iteration from cells to value, including the cost matrix.
void time_entropic(const Matrix<float>& x, const Matrix<float>& y, const std::string& name) {
    using namespace popflow::ot;
    char* end = nullptr;
    const double epsilon = std::strtod(name.c_str() + name.find(':') + 1, &end);
    const double tolerance = *end == ':' ? std::strtod(end + 1, &end) : 0;
    if (!(epsilon > 0) || !(tolerance > 0) || *end != '\0') {
        std::fprintf(stderr, "time_metrics: found %s, allowed entropic:EPSILON:TOLERANCE, both > 0\n",
                     name.c_str());
        std::exit(2);
    }
    SinkhornResult result;
    time_one({}, "entropic", [&] {
        const Cost cost(CostKind::squared_euclidean, x.view(), y.view());
        // The option is relative to the mean cost.
        const SinkhornOptions options{.epsilon = epsilon / (cost.mean() * cost.unit()),
                                      .sweeps = 2000,
                                      .tolerance = tolerance,
                                      .values = true};
        result = sinkhorn(cost, {}, {}, options);
        return result.value;
    });
    std::printf("entropic_cost %.12g\nentropic_sweeps %zu\n", result.transport_cost, result.sweeps);
}

double mean_squared_distance(const Matrix<float>& x, const Matrix<float>& y,
                             const std::vector<std::uint32_t>& partner) {
    double sum = 0;
    for (std::size_t i = 0; i < x.rows(); ++i) {
        for (std::size_t k = 0; k < x.cols(); ++k) {
            const double difference = static_cast<double>(x(i, k)) - y(partner[i], k);
            sum += difference * difference;
        }
    }
    return sum / static_cast<double>(x.rows());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) {
        std::fputs("usage: time_metrics FILE N M D [NAME...]\n", stderr);
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary);
    const auto size = [&](int l) { return static_cast<std::size_t>(std::strtoull(argv[l], nullptr, 10)); };
    const Matrix<float> x = read_rows(file, size(2), size(4));
    const Matrix<float> y = read_rows(file, size(3), size(4));
    if (!file) {
        std::fprintf(stderr, "time_metrics: %s is too short for %s + %s rows of %s float32 values\n", argv[1],
                     argv[2], argv[3], argv[4]);
        return 2;
    }
    using namespace popflow;
    const Names names(argv + 5, argv + argc);
    (void)metrics::wasserstein2(x.view().row_block(0, 64), y.view().row_block(0, 64));  // starts the threads
    time_one(names, "w1", [&] { return metrics::wasserstein1(x.view(), y.view()); });
    time_one(names, "w2", [&] { return metrics::wasserstein2(x.view(), y.view()); });
    time_one(names, "w1_and_w2", [&] { return metrics::wasserstein(x.view(), y.view()).w2; });
    if (x.rows() == y.rows()) {
        std::vector<std::uint32_t> partner;
        time_one(names, "coupling", [&] {
            partner = ot::optimal_partners(x.view(), y.view());
            return mean_squared_distance(x, y, partner);
        });
    }
    time_one(names, "mmd", [&] { return metrics::kernel_distances(x.view(), y.view()).mmd; });
    if (std::ranges::find(names, "sinkhorn") != names.end()) {
        time_one(names, "sinkhorn", [&] { return metrics::sinkhorn_divergence(x.view(), y.view()); });
    }
    for (const std::string& name : names) {
        if (name.starts_with("entropic:")) time_entropic(x, y, name);
    }
    time_one(names, "r2", [&] { return metrics::correlation_r2(x.view(), y.view()); });
    std::printf("peak_mib %.0f\n", peak_mib());
}
