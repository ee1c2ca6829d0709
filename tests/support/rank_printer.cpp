// SPDX-License-Identifier: MIT
#include "support/rank_printer.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

namespace popflow::support {

namespace {

// Prints the failures of one rank and forwards all other events to another listener.
class RankPrinter : public testing::TestEventListener {
  public:
    RankPrinter(int rank, std::unique_ptr<testing::TestEventListener> progress)
        : prefix_("[rank " + std::to_string(rank) + "] "), progress_(std::move(progress)) {}

    void OnTestPartResult(const testing::TestPartResult& result) override;

    void OnTestProgramStart(const testing::UnitTest& all) override { progress_->OnTestProgramStart(all); }
    void OnTestIterationStart(const testing::UnitTest& all, int iteration) override {
        progress_->OnTestIterationStart(all, iteration);
    }
    void OnEnvironmentsSetUpStart(const testing::UnitTest& all) override {
        progress_->OnEnvironmentsSetUpStart(all);
    }
    void OnEnvironmentsSetUpEnd(const testing::UnitTest& all) override {
        progress_->OnEnvironmentsSetUpEnd(all);
    }
    void OnTestSuiteStart(const testing::TestSuite& suite) override { progress_->OnTestSuiteStart(suite); }
    void OnTestStart(const testing::TestInfo& test) override {
        test_ = &test;
        progress_->OnTestStart(test);
    }
    void OnTestDisabled(const testing::TestInfo& test) override { progress_->OnTestDisabled(test); }
    void OnTestEnd(const testing::TestInfo& test) override {
        progress_->OnTestEnd(test);
        test_ = nullptr;
    }
    void OnTestSuiteEnd(const testing::TestSuite& suite) override { progress_->OnTestSuiteEnd(suite); }
#ifndef GTEST_REMOVE_LEGACY_TEST_CASEAPI_
    void OnTestCaseStart(const testing::TestSuite& suite) override {
        progress_->OnTestCaseStart(suite);
    }
    void OnTestCaseEnd(const testing::TestSuite& suite) override {
        progress_->OnTestCaseEnd(suite);
    }
#endif
    void OnEnvironmentsTearDownStart(const testing::UnitTest& all) override {
        progress_->OnEnvironmentsTearDownStart(all);
    }
    void OnEnvironmentsTearDownEnd(const testing::UnitTest& all) override {
        progress_->OnEnvironmentsTearDownEnd(all);
    }
    void OnTestIterationEnd(const testing::UnitTest& all, int iteration) override {
        progress_->OnTestIterationEnd(all, iteration);
    }
    void OnTestProgramEnd(const testing::UnitTest& all) override {
        progress_->OnTestProgramEnd(all);
    }

  private:
    std::string prefix_;
    std::unique_ptr<testing::TestEventListener> progress_;
    // Test that runs now. UnitTest::current_test_info() would wait for a lock that GoogleTest holds while it
    // reports a failure.
    const testing::TestInfo* test_ = nullptr;
};

// Writes the whole text at once, so that lines of different ranks do not mix.
void RankPrinter::OnTestPartResult(const testing::TestPartResult& result) {
    if (!result.failed()) {
        progress_->OnTestPartResult(result);
        return;
    }
    std::string place;  // an exception has no place
    if (result.file_name() != nullptr)
        place = result.file_name() + (":" + std::to_string(result.line_number())) + ": ";
    std::string text = prefix_ + place + "Failure";
    if (test_ != nullptr) text += std::string(" in ") + test_->test_suite_name() + "." + test_->name();
    text += '\n';
    std::istringstream lines(result.message());
    for (std::string line; std::getline(lines, line);) text += prefix_ + line + '\n';
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace

void print_as_rank(int rank) {
    // mpiexec connects the ranks to a terminal of its own, even if its output goes to a file.
    if (GTEST_FLAG_GET(color) == "auto") GTEST_FLAG_SET(color, "no");
    testing::TestEventListeners& listeners = testing::UnitTest::GetInstance()->listeners();
    std::unique_ptr<testing::TestEventListener> progress(
        listeners.Release(listeners.default_result_printer()));
    if (rank != 0) {
        progress = std::make_unique<testing::EmptyTestEventListener>();
        const std::unique_ptr<testing::TestEventListener> unused(
            listeners.Release(listeners.default_xml_generator()));
    }
    listeners.Append(std::make_unique<RankPrinter>(rank, std::move(progress)).release());
}

}  // namespace popflow::support
