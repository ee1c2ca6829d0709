// SPDX-License-Identifier: MIT
#include <nanobind/stl/optional.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "apps/console.hpp"
#include "apps/verbs.hpp"
#include "bindings.hpp"
#include "call.hpp"
#include "core/cancellation.hpp"
#include "mpi/collective_call.hpp"
#include "mpi/communicator.hpp"
#include "mpi/same_on_all_ranks.hpp"
#include "options/run_config.hpp"

namespace nb = nanobind;
using namespace nb::literals;

namespace popflow::python {

namespace {

using apps::Arguments;

struct Verb {
    const char* name;
    int (*run)(const Arguments&, const mpi::Communicator&);
};

constexpr Verb verbs[] = {{"evaluate", apps::verb_evaluate},
                          {"import", apps::verb_import},
                          {"inspect", apps::verb_inspect},
                          {"metrics", apps::verb_metrics},
                          {"ot", apps::verb_ot},
                          {"predict", apps::verb_predict},
                          {"run", apps::verb_run},
                          {"simulate", apps::verb_simulate},
                          {"train", apps::verb_train}};

// Passes the output of a verb to functions of Python, which run in the thread of the caller.
class PythonConsole : public apps::Console {
  public:
    // @param message  takes a line. @param progress  takes a dict and returns whether to stop. None for
    // neither
    PythonConsole(Call& call, nb::object message, nb::object progress)
        : call_(call), message_(std::move(message)), progress_(std::move(progress)) {}

    void print_result(const std::string& text) override { result_ += text; }
    void print_message(const std::string& line) override {
        call_.in_caller([&] { message_(line); });
    }
    void show_progress(const apps::ProgressReport& report) override {
        if (progress_.is_none()) return;
        call_.in_caller([&] {
            nb::dict values;
            values["what"] = report.what;
            values["done"] = report.done;
            values["total"] = report.total;
            values["note"] = report.note;
            values["loss"] = report.loss;
            values["energy"] = report.energy;
            if (nb::cast<bool>(nb::bool_(progress_(values)))) is_stopped_ = true;
        });
    }
    bool should_stop() override { return is_stopped_ || call_.is_cancelled(); }
    const std::string& result() const { return result_; }

  private:
    Call& call_;
    nb::object message_;
    nb::object progress_;
    std::string result_;
    bool is_stopped_ = false;
};

// @param comm  Fortran handle of a communicator of mpi4py, or none for this process alone
std::tuple<int, std::string> run_verb(const std::string& name, const Arguments& arguments, nb::object message,
                                      nb::object progress, std::optional<int> comm) {
    const auto* const verb =
        std::ranges::find(verbs, name, [](const Verb& v) { return std::string(v.name); });
    if (verb == std::end(verbs)) throw core::UserError("unknown verb '" + name + "'");
    Call call;
    PythonConsole console(call, std::move(message), std::move(progress));
    const int code = call.run([&] {
        const apps::ConsoleScope scope(console);
        const core::CancellationScope whole_steps(nullptr);  // a verb stops where it can continue later
        if (!comm) return verb->run(arguments, mpi::Communicator::self());
        return mpi::call_collectively(*comm, [&](const mpi::Communicator& ranks) {
            mpi::check_same_program(ranks);
            return verb->run(arguments, ranks);
        });
    });
    return {code, console.result()};
}

const char* section_name(options::Section section) {
    using enum options::Section;
    switch (section) {
        case general:
            return "general";
        case data:
            return "data";
        case split:
            return "split";
        case model:
            return "model";
        case train:
            return "train";
        case run_folder:
            return "run_folder";
        case transport:
            return "transport";
        case evaluate:
            return "evaluate";
        case predict:
            return "predict";
        default:
            return "other";
    }
}

// Returns a dict for each option of the verbs, in the order of the help.
nb::list option_table() {
    options::RunConfig config;
    const options::OptionTable table = options::run_options(config);
    nb::list rows;
    for (const options::Option& option : table.options()) {
        nb::dict row;
        row["name"] = option.name;
        row["section"] = section_name(option.section);
        row["argument"] = option.argument;
        row["default"] = option.initial;
        row["help"] = option.help;
        rows.append(row);
    }
    return rows;
}

}  // namespace

void bind_verbs(nb::module_& module) {
    module.def("run_verb", &run_verb, "name"_a, "arguments"_a, "message"_a.none(), "progress"_a.none(),
               "comm"_a.none(),
               "Runs a verb of the program with the arguments of its command line, in this process or on the "
               "ranks of a communicator (its Fortran handle). Returns the exit code and the text of standard "
               "output.");
    module.def("option_table", &option_table, "Describes the options of the verbs, one dict each.");
}

}  // namespace popflow::python
