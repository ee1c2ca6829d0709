// SPDX-License-Identifier: MIT
#include "evaluation.hpp"
#include "output_path.hpp"
#include "run_folder.hpp"
#include "verbs.hpp"

namespace popflow::apps {

int verb_evaluate(const Arguments& arguments, const mpi::Communicator& comm) {
    options::RunConfig config;
    const options::OptionTable table = run_options(config);
    using enum options::Section;
    const std::vector<options::Section> sections{general, run_folder, options::Section::data,
                                                 split,   transport,  options::Section::evaluate};
    const std::string usage =
        "evaluate --run RUN --output R.h5 [--predictions P.h5ad] [options]\n\n"
        "Scored pairs are stored in R.h5.partial until R.h5 is complete. --resume continues with them.\n"
        "At most --max-cells random cells of each control are transported and scored. --predictions writes\n"
        "the same cells.";
    if (parse_or_help(table, usage, arguments, sections, comm)) return done;
    require(config.run, "run", "RUN");
    require(config.output, "output", "R.h5");
    if (config.dry_run == options::DryRunMode::options) return done;
    const std::string run = config.run;
    const predict::RunModel trained(open_run(config, table, arguments, sections));
    check_output(config.output, "output", {config.data, config.config_file}, RunFiles::results);
    return evaluate_run(run, trained, config.output, config, table,
                        config.resume ? eval::Leftover::keep : eval::Leftover::discard, "", comm);
}

}  // namespace popflow::apps
