// SPDX-License-Identifier: MIT
// Uses popflow as a library in a process that has threads and no MPI.
// Usage: consumer RUN CONTROL EXPECTED LABELS TREATMENT
//   CONTROL, EXPECTED   float32 cells, row-major: a control population and what `popflow predict` made of it
//   LABELS              cell type of each cell, one per line
#include <popflow/popflow.hpp>

#include <cmath>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "read_floats.hpp"

namespace {

int failures = 0;

void expect(bool condition, const char* what) {
    if (condition) return;
    std::printf("FAILED: %s\n", what);
    ++failures;
}

std::string error_of(const popflow::Model& model, popflow::CellsView control,
                     popflow::PredictRequest request) {
    try {
        model.predict(control, request);
    } catch (const popflow::InvalidInput& error) {
        return error.what();
    }
    return "";
}

void check_transport() {
    // Two cells each, cost 0 on the diagonal and 1 elsewhere: the identity is the best plan.
    const std::vector<double> cost{0, 1, 1, 0};
    const popflow::TransportSolution solution = popflow::solve_transport(cost, 2, 2);
    expect(solution.value == 0, "value of the identity");
    expect(solution.plan.size() >= 2 && solution.plan[0].i == solution.plan[0].j, "plan of the identity");
    expect(solution.violation <= 0 && std::fabs(solution.gap) < 1e-12, "certificate");
    bool thrown = false;
    try {
        const std::vector<double> negative{-1, 2};
        popflow::solve_transport(cost, 2, 2, negative);
    } catch (const popflow::InvalidInput&) {
        thrown = true;
    }
    expect(thrown, "negative weights are invalid input");
}

void check_metrics(popflow::CellsView cells) {
    const auto same = popflow::compute_metrics(cells, cells, {"w2", "energy"});
    expect(same.size() == 2 && same.at("w2") == 0, "W2 of equal populations");
    bool thrown = false;
    try {
        popflow::compute_metrics(cells, cells, {"w3"});
    } catch (const popflow::InvalidInput& error) {
        thrown = std::string(error.what()).find("'w3' is no metric") != std::string::npos;
    }
    expect(thrown, "an unknown metric is invalid input");
}

void check_model(char** argv) {
    const popflow::Model model = popflow::Model::load(argv[1]);
    const std::size_t markers = model.markers().size();
    const std::vector<float> control = read_floats(argv[2]);
    const std::vector<float> expected = read_floats(argv[3]);
    std::ifstream in(argv[4]);
    std::vector<std::string> labels;
    for (std::string line; std::getline(in, line);) labels.push_back(line);
    const popflow::CellsView view{control.data(), control.size() / markers, markers};
    popflow::PredictRequest request{.treatment = argv[5], .cell_types = labels};
    const popflow::Cells predicted = model.predict(view, request);
    expect(!expected.empty() && predicted.values == expected, "the prediction has the bits of the program");
    expect(!model.embed(view, labels).empty(), "the embedding");
    // Two threads predict with the same model.
    popflow::Cells first;
    popflow::Cells second;
    std::thread one([&] { first = model.predict(view, request); });
    std::thread two([&] { second = model.predict(view, request); });
    one.join();
    two.join();
    expect(first.values == expected && second.values == expected, "predictions of two threads");
    request.treatment = "no such treatment";
    expect(error_of(model, view, request).find("no such treatment") != std::string::npos,
           "unknown treatment");
    request.treatment = argv[5];
    expect(error_of(model, {control.data(), view.rows, markers - 1}, request).find("markers") !=
               std::string::npos,
           "wrong number of markers");
    check_metrics(view);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) return 2;
    std::thread([] {}).join();
    check_transport();
    check_model(argv);
    bool thrown = false;
    try {
        popflow::Model::load("/nonexistent");
    } catch (const popflow::InvalidInput&) {
        thrown = true;
    }
    expect(thrown, "a missing run is invalid input");
    std::printf("%s: %d failures\n", popflow::version().c_str(), failures);
    return failures == 0 ? 0 : 1;
}
