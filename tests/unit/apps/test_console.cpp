// SPDX-License-Identifier: MIT
#include "apps/console.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "apps/progress.hpp"
#include "apps/signals.hpp"

namespace {

using namespace popflow::apps;

class RecordingConsole : public Console {
  public:
    void print_result(const std::string& text) override { result += text; }
    void print_message(const std::string& line) override { messages.push_back(line); }
    void show_progress(const ProgressReport& report) override { reports.push_back(report); }
    bool should_stop() override { return stops; }

    std::string result;
    std::vector<std::string> messages;
    std::vector<ProgressReport> reports;
    bool stops = false;
};

}  // namespace

TEST(Console, ReceivesTextOfAnyLength) {
    RecordingConsole recorded;
    const ConsoleScope scope(recorded);
    const std::string text(5000, 'x');
    print_result("%s %d\n", text.c_str(), 7);
    print_message("note: %s", "a");
    EXPECT_EQ(recorded.result, text + " 7\n");
    EXPECT_EQ(recorded.messages, std::vector<std::string>{"note: a"});
}

TEST(Console, EndsWithItsScope) {
    EXPECT_EQ(console(), nullptr);
    RecordingConsole outer;
    RecordingConsole inner;
    {
        const ConsoleScope outer_scope(outer);
        {
            const ConsoleScope inner_scope(inner);
            EXPECT_EQ(console(), &inner);
        }
        EXPECT_EQ(console(), &outer);
    }
    EXPECT_EQ(console(), nullptr);
}

TEST(Console, ReceivesEachUpdateOfTheProgress) {
    RecordingConsole recorded;
    const ConsoleScope scope(recorded);
    Progress progress("train", 3, 0, false);
    progress.set_losses(0.5, std::nan(""));
    progress.update(1, "loss 0.5");
    progress.update(2, "loss 0.5");
    ASSERT_EQ(recorded.reports.size(), 2U);
    EXPECT_EQ(recorded.reports[1].what, "train");
    EXPECT_EQ(recorded.reports[1].done, 2U);
    EXPECT_EQ(recorded.reports[1].total, 3U);
    EXPECT_EQ(recorded.reports[1].note, "loss 0.5");
    EXPECT_EQ(recorded.reports[1].loss, 0.5);
    EXPECT_TRUE(std::isnan(recorded.reports[1].energy));
}

TEST(Console, StopsAVerb) {
    RecordingConsole recorded;
    const ConsoleScope scope(recorded);
    EXPECT_FALSE(stop_requested());
    recorded.stops = true;
    EXPECT_TRUE(stop_requested());
}
