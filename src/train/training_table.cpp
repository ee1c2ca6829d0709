// SPDX-License-Identifier: MIT
#include "train/training_table.hpp"

#include <filesystem>

#include "core/stored_file.hpp"
#include "h5/file.hpp"

namespace popflow::train {

h5::DataFrame training_frame(const std::vector<TrainingRow>& rows) {
    std::vector<std::int64_t> step;
    std::vector<double> epoch;
    std::vector<double> loss;
    std::vector<double> rate;
    std::vector<double> norm;
    std::vector<double> seconds;
    for (const TrainingRow& row : rows) {
        step.push_back(static_cast<std::int64_t>(row.step));
        epoch.push_back(row.epoch);
        loss.push_back(row.loss);
        rate.push_back(row.rate);
        norm.push_back(row.gradient_norm);
        seconds.push_back(row.seconds);
    }
    h5::DataFrame frame;
    frame.add("step", std::move(step));
    frame.add("epoch", std::move(epoch));
    frame.add("loss", std::move(loss));
    frame.add("lr", std::move(rate));
    frame.add("grad_norm", std::move(norm));
    frame.add("seconds", std::move(seconds));
    return frame;
}

std::vector<TrainingRow> training_rows(const h5::DataFrame& frame) {
    std::vector<TrainingRow> rows(frame.rows());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i] = {static_cast<std::uint64_t>(frame.ints("step")[i]),
                   frame.doubles("epoch")[i],
                   frame.doubles("loss")[i],
                   frame.doubles("lr")[i],
                   frame.doubles("grad_norm")[i],
                   frame.doubles("seconds")[i]};
    }
    return rows;
}

h5::DataFrame validation_frame(const std::vector<ValidationRow>& rows) {
    h5::DataFrame frame;
    const auto add_counts = [&](const char* name, std::uint64_t ValidationRow::*member) {
        std::vector<std::int64_t> values;
        for (const ValidationRow& row : rows) values.push_back(static_cast<std::int64_t>(row.*member));
        frame.add(name, std::move(values));
    };
    const auto add_scores = [&](const char* name, double ValidationRow::*member) {
        std::vector<double> values;
        for (const ValidationRow& row : rows) values.push_back(row.*member);
        frame.add(name, std::move(values));
    };
    add_counts("step", &ValidationRow::step);
    add_scores("energy", &ValidationRow::energy);
    add_scores("w2", &ValidationRow::w2);
    add_scores("mean_shift", &ValidationRow::mean_shift);
    add_scores("moment_map", &ValidationRow::moment_map);
    add_counts("pairs", &ValidationRow::pairs);
    add_counts("cells", &ValidationRow::cells);
    add_counts("evaluations", &ValidationRow::evaluations);
    return frame;
}

std::vector<std::byte> training_table_bytes(const std::vector<TrainingRow>& rows,
                                            const std::vector<ValidationRow>& validation) {
    h5::MemoryFile file("training.h5");
    {
        h5::Group root = file.root();
        h5::write_dataframe(root, "training", training_frame(rows));
        if (!validation.empty()) h5::write_dataframe(root, "validation", validation_frame(validation));
    }
    return file.bytes();
}

void write_training_table(const std::string& path, const std::vector<TrainingRow>& rows,
                          const std::vector<ValidationRow>& validation) {
    core::store_file(path, training_table_bytes(rows, validation));
}

std::vector<TrainingRow> read_training_table(const std::string& path, std::uint64_t last_step) {
    if (!std::filesystem::exists(path)) return {};
    std::vector<TrainingRow> rows = training_rows(h5::read_dataframe(h5::open_file(path), "training"));
    std::erase_if(rows, [&](const TrainingRow& row) { return row.step > last_step; });
    return rows;
}

std::vector<ValidationRow> read_validation_table(const std::string& path, std::uint64_t last_step) {
    if (!std::filesystem::exists(path)) return {};
    const h5::Group root = h5::open_file(path);
    if (!root.contains_group("validation")) return {};
    const h5::DataFrame frame = h5::read_dataframe(root, "validation");
    std::vector<ValidationRow> rows;
    for (std::size_t i = 0; i < frame.rows(); ++i) {
        const auto count = [&](const char* name) { return static_cast<std::uint64_t>(frame.ints(name)[i]); };
        if (count("step") > last_step) break;
        rows.push_back({.step = count("step"),
                        .energy = frame.doubles("energy")[i],
                        .w2 = frame.doubles("w2")[i],
                        .mean_shift = frame.doubles("mean_shift")[i],
                        .moment_map = frame.doubles("moment_map")[i],
                        .pairs = count("pairs"),
                        .cells = count("cells"),
                        .evaluations = count("evaluations")});
    }
    return rows;
}

}  // namespace popflow::train
