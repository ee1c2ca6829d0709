// SPDX-License-Identifier: MIT
#include "training_split.hpp"

#include "verbs.hpp"

namespace popflow::apps {

screen::Split training_split(const screen::Screen& screen, const options::RunConfig& config) {
    screen::Split split = screen::make_split(screen, config.split, config.split_seed);
    if (config.validation_units == 0) return split;
    return screen::hold_out_units(screen, std::move(split), config.validation_units, config.train.seed);
}

screen::Split evaluation_split(const screen::Screen& screen, const options::RunConfig& config,
                               const options::OptionTable& table, const train::Checkpoint& checkpoint) {
    options::RunConfig before;
    const bool is_training_split = config.validation_units > 0 &&
                                   screen.fingerprint == checkpoint.data_fingerprint &&
                                   changed_split_options(config, table, checkpoint, before).empty();
    return is_training_split ? training_split(screen, config)
                             : screen::make_split(screen, config.split, config.split_seed);
}

std::vector<std::string> changed_split_options(const options::RunConfig& config,
                                               const options::OptionTable& table,
                                               const train::Checkpoint& checkpoint,
                                               options::RunConfig& before) {
    const options::OptionTable table_before = run_options(before);
    table_before.parse_text(checkpoint.config, config.run);
    const std::vector<options::Section> sections{options::Section::data, options::Section::split};
    return core::changed_options(table.text(sections), table_before.text(sections), table.effects());
}

}  // namespace popflow::apps
