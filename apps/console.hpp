// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <limits>
#include <string>

namespace popflow::apps {

/// Progress of a verb.
struct ProgressReport {
    std::string what;         ///< `train`, `evaluate`, `predict`, `select` or `ot`
    std::uint64_t done = 0;   ///< number of finished units of work
    std::uint64_t total = 0;  ///< number of all units of work
    std::string note;         ///< text after the counts, such as `loss 12.3`
    /// Loss of a training, and energy of its last validation check. NaN if there is none.
    double loss = std::numeric_limits<double>::quiet_NaN();
    double energy = std::numeric_limits<double>::quiet_NaN();
};

/// Receives the output of a verb that another program runs in its own process, and stops it.
///
/// The functions are called by the thread that runs the verb.
class Console {
  public:
    virtual ~Console() = default;
    /// Receives a part of the text that the program prints on standard output.
    virtual void print_result(const std::string& text) = 0;
    /// Receives a line that the program prints on standard error.
    virtual void print_message(const std::string& line) = 0;
    virtual void show_progress(const ProgressReport& report) = 0;
    /// Whether the verb should stop, as on SIGTERM.
    virtual bool should_stop() = 0;
};

/// Sends the output of the verbs of this process to a console for the lifetime of the object. The process may
/// run one verb at a time.
class ConsoleScope {
  public:
    explicit ConsoleScope(Console& console);
    ~ConsoleScope();
    ConsoleScope(const ConsoleScope&) = delete;
    ConsoleScope& operator=(const ConsoleScope&) = delete;

  private:
    Console* outer_;
};

/// Returns the console of the process, null in the program, which uses the standard streams.
Console* console();

/// Prints a formatted text on standard output, or sends it to the console.
[[gnu::format(printf, 1, 2)]] void print_result(const char* format, ...);
/// Prints a formatted line, without its line break, on standard error, or sends it to the console.
[[gnu::format(printf, 1, 2)]] void print_message(const char* format, ...);

}  // namespace popflow::apps
