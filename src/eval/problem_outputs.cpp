// SPDX-License-Identifier: MIT
#include "eval/problem_outputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <unordered_map>

#include "core/digest.hpp"
#include "core/error.hpp"
#include "h5/dataframe.hpp"
#include "h5/file.hpp"

namespace popflow::eval {

namespace {

constexpr const char* convention =
    "P_ij = a_i b_j exp((f_i + g_j - c_ij) / epsilon), sum_i a_i f_i = 0. Exact transport: f_i + g_j <= c_ij";

h5::DataFrame solves_frame(const std::vector<SolveOutput>& outputs) {
    h5::DataFrame frame;
    const std::pair<const char*, std::string SolveOutput::*> columns[] = {
        {"problem", &SolveOutput::problem},
        {"solver", &SolveOutput::solver},
        {"start", &SolveOutput::start},
        {"acceleration", &SolveOutput::acceleration}};
    for (const auto& [name, member] : columns) {
        std::vector<std::string> values;
        for (const SolveOutput& output : outputs) values.push_back(output.*member);
        if (member == &SolveOutput::problem)
            frame.add(name, std::move(values));
        else
            frame.add_categorical(name, std::move(values));
    }
    return frame;
}

template <class T>
void write_array(h5::Group& group, const std::string& name, const std::vector<T>& values) {
    h5::Dataset dataset = group.write(name, values);
    h5::write_encoding(dataset, "array", "0.2.0");
}

// Writes one array of all solves and their offsets in it.
void write_flat(h5::Group& group, const std::string& name, const std::vector<SolveOutput>& outputs,
                std::vector<double> ot::Potentials::*member) {
    std::vector<double> all;
    std::vector<std::int64_t> offsets{0};
    for (const SolveOutput& output : outputs) {
        const std::vector<double>& values = output.potentials.*member;
        all.insert(all.end(), values.begin(), values.end());
        offsets.push_back(static_cast<std::int64_t>(all.size()));
    }
    write_array(group, name, all);
    write_array(group, name + "_offset", offsets);
}

// Potentials of a file, by the name of the problem.
struct StoredPotentials {
    struct Range {
        std::size_t f = 0, n = 0, g = 0, m = 0;
    };
    std::vector<double> f;
    std::vector<double> g;
    std::unordered_map<std::string, Range> solves;
};

std::vector<std::int64_t> read_offsets(const h5::Group& group, const std::string& name, std::size_t solves,
                                       std::size_t values) {
    const auto offsets = group.open_dataset(name).read<std::int64_t>();
    if (offsets.size() != solves + 1 || offsets.front() != 0 || !std::ranges::is_sorted(offsets) ||
        offsets.back() != static_cast<std::int64_t>(values))
        throw core::DataError(group.file(), "potentials/" + name,
                              "does not match the other arrays. The file is damaged: run popflow ot again");
    return offsets;
}

StoredPotentials read_potentials(const std::string& path) {
    const h5::Group root = h5::open_file(path);
    if (!root.contains_group("potentials"))
        throw core::DataError(
            path, "potentials",
            "is missing. Give a result file of popflow ot that was written with --potentials");
    const h5::Group group = root.open_group("potentials");
    const h5::DataFrame solves = h5::read_dataframe(group, "solves");
    StoredPotentials stored;
    stored.f = group.open_dataset("f").read<double>();
    stored.g = group.open_dataset("g").read<double>();
    const auto f = read_offsets(group, "f_offset", solves.rows(), stored.f.size());
    const auto g = read_offsets(group, "g_offset", solves.rows(), stored.g.size());
    const auto& names = solves.strings("problem");
    const auto& solvers = solves.strings("solver");
    const auto at = [](const std::vector<std::int64_t>& offsets, std::size_t i) {
        return static_cast<std::size_t>(offsets[i]);
    };
    for (const bool with_entropy : {true, false}) {
        for (std::size_t k = 0; k < names.size(); ++k) {
            if ((solvers[k] != problem_solver_names().front()) != with_entropy) continue;
            stored.solves.emplace(names[k], StoredPotentials::Range{at(f, k), at(f, k + 1) - at(f, k),
                                                                    at(g, k), at(g, k + 1) - at(g, k)});
        }
    }
    return stored;
}

// Returns the potentials of the atoms with mass.
std::vector<double> gathered(const double* all, const ot::Histogram& histogram) {
    std::vector<double> values;
    for (const std::uint32_t atom : histogram.atoms) values.push_back(all[atom]);
    return values;
}

}  // namespace

void write_potentials(h5::Group& root, const std::vector<SolveOutput>& outputs) {
    h5::Group group = root.create_group("potentials");
    h5::write_encoding(group, "dict", "0.1.0");
    group.write_attribute("convention", convention);
    h5::write_dataframe(group, "solves", solves_frame(outputs));
    write_flat(group, "f", outputs, &ot::Potentials::f);
    write_flat(group, "g", outputs, &ot::Potentials::g);
}

void write_plans(h5::Group& root, const std::vector<SolveOutput>& outputs) {
    h5::Group group = root.create_group("plans");
    h5::write_encoding(group, "dict", "0.1.0");
    group.write_attribute("smallest_share", smallest_plan_share);
    h5::write_dataframe(group, "solves", solves_frame(outputs));
    std::vector<std::int64_t> offsets{0};
    std::vector<std::uint32_t> source;
    std::vector<std::uint32_t> target;
    std::vector<double> mass;
    for (const SolveOutput& output : outputs) {
        for (const ot::PlanEntry& entry : output.plan) {
            source.push_back(entry.i);
            target.push_back(entry.j);
            mass.push_back(entry.mass);
        }
        offsets.push_back(static_cast<std::int64_t>(mass.size()));
    }
    write_array(group, "offset", offsets);
    write_array(group, "source", source);
    write_array(group, "target", target);
    write_array(group, "mass", mass);
}

ProblemStart stored_start(const std::string& path, const std::string& name,
                          const problems::ProblemSet& problems) {
    const auto stored = std::make_shared<StoredPotentials>(read_potentials(path));
    for (std::size_t p = 0; p < problems.size(); ++p) {
        const auto at = stored->solves.find(problems.name(p));
        if (at == stored->solves.end())
            throw core::DataError(
                path, "potentials/solves",
                "has no problem '" + problems.name(p) + "'. Give potentials of these problems");
        const std::size_t n =
            problems.has_histograms() ? problems.costs().rows() : problems.source_cells(p).rows();
        const std::size_t m =
            problems.has_histograms() ? problems.costs().cols() : problems.target_cells(p).rows();
        if (at->second.n != n || at->second.m != m)
            throw core::DataError(
                path, "potentials",
                fmt::format("problem '{}' has {} and {} potentials, but there are {} and {} atoms. Give "
                            "potentials of these problems",
                            problems.name(p), at->second.n, at->second.m, n, m));
        const std::span<const double> f(stored->f.data() + at->second.f, n);
        const std::span<const double> g(stored->g.data() + at->second.g, m);
        const auto is_finite = [](double v) { return std::isfinite(v); };
        if (!std::ranges::all_of(f, is_finite) || !std::ranges::all_of(g, is_finite))
            throw core::DataError(path, "potentials",
                                  "problem '" + problems.name(p) +
                                      "' has a potential that is not finite. Compute the potentials again");
    }
    const auto make = [stored](const problems::ProblemSet& set, std::size_t p) {
        const StoredPotentials::Range& range = stored->solves.at(set.name(p));
        const double* f = stored->f.data() + range.f;
        const double* g = stored->g.data() + range.g;
        if (!set.has_histograms()) return ot::Potentials{{f, f + range.n}, {g, g + range.m}};
        return ot::Potentials{gathered(f, set.source_histogram(p)), gathered(g, set.target_histogram(p))};
    };
    core::Digest digest;
    digest.add(std::span<const double>(stored->f));
    digest.add(std::span<const double>(stored->g));
    return {.name = name, .make = make, .fingerprint = digest.text()};
}

}  // namespace popflow::eval
