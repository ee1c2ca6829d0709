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

std::vector<std::byte> training_table_bytes(const std::vector<TrainingRow>& rows) {
    h5::MemoryFile file("training.h5");
    {
        h5::Group root = file.root();
        h5::write_dataframe(root, "training", training_frame(rows));
    }
    return file.bytes();
}

void write_training_table(const std::string& path, const std::vector<TrainingRow>& rows) {
    core::store_file(path, training_table_bytes(rows));
}

std::vector<TrainingRow> read_training_table(const std::string& path, std::uint64_t last_step) {
    if (!std::filesystem::exists(path)) return {};
    std::vector<TrainingRow> rows = training_rows(h5::read_dataframe(h5::open_file(path), "training"));
    std::erase_if(rows, [&](const TrainingRow& row) { return row.step > last_step; });
    return rows;
}

}  // namespace popflow::train
