// Tests of the program's way with arguments: help, wrong usage, sizes.
#include "cli/application.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/run_application_test_support.h"
#include "cli/terminal.h"

namespace everlearn {
namespace {

TEST(Application, VersionAndHelpSucceed) {
  EXPECT_EQ(RunWith({"--version"}).output, "everlearn " EVERLEARN_VERSION "\n");
  const Ran help = RunWith({"--help"});
  EXPECT_EQ(help.status, 0);
  for (const char* name : {"fit", "predict", "evaluate", "learners", "inspect"})
    EXPECT_NE(help.output.find(name), std::string::npos) << name;
}

TEST(Application, EveryCommandShowsAnExample) {
  for (const std::string& name : Commands().Names()) {
    if (Commands().Get(name).hidden) continue;
    const Ran help = RunWith({name, "--help"});
    EXPECT_EQ(help.status, 0) << name;
    EXPECT_NE(help.output.find("everlearn " + name), std::string::npos) << help.output;
    EXPECT_NE(help.output.find("--json"), std::string::npos) << name;
  }
}

TEST(Application, WrongUsageIsStatusTwoAndNamesWhatIsWrong) {
  const Ran command = RunWith({"fitt"});
  EXPECT_EQ(command.status, 2);
  EXPECT_EQ(command.errors, "everlearn: no command is called 'fitt'\n  did you mean 'fit'?\n");
  const Ran flag = RunWith({"fit", "a.csv", "--targt", "y"});
  EXPECT_EQ(flag.status, 2);
  EXPECT_EQ(flag.errors, "everlearn: 'fit' has no flag --targt\n  did you mean '--target'?\n");
  EXPECT_EQ(RunWith({"fit", "a.csv", "--target", "y", "--folds", "1"}).status, 2);
  EXPECT_EQ(RunWith({"fit", "--target", "y"}).status, 2);
  EXPECT_EQ(RunWith({"learners", "linear", "trees"}).status, 2);
  EXPECT_EQ(RunWith({"--json", "learners"}).status, 2);
  EXPECT_EQ(RunWith({""}).status, 2);
  EXPECT_EQ(RunWith({}).status, 2);
}

TEST(Application, WrongValuesAreFoundBeforeTheDataIsRead) {
  const auto fit = [](const std::string& flag, const std::string& value) {
    return RunWith({"fit", "nothing.csv", "--target", "y", flag, value});
  };
  EXPECT_NE(fit("--learners", "gradient_bosting").errors.find("gradient_boosting"), std::string::npos);
  EXPECT_NE(fit("--set", "gradient_boosting.learning_rate=-1").errors.find("learning_rate"), std::string::npos);
  EXPECT_NE(fit("--metric", "log_los").errors.find("log_loss"), std::string::npos);
  EXPECT_NE(fit("--memory", "lots").errors.find("--memory"), std::string::npos);
  for (const char* flag : {"--learners", "--set", "--metric", "--kind", "--type", "--memory"})
    EXPECT_EQ(fit(flag, "nonsense").status, 2) << flag;
}

TEST(Application, AMissingFileIsStatusOne) {
  const Ran fit = RunWith({"fit", "nothing.csv", "--target", "y"});
  EXPECT_EQ(fit.status, 1);
  EXPECT_NE(fit.errors.find("nothing.csv"), std::string::npos);
}

TEST(Terminal, AlignsColumns) {
  EXPECT_EQ(AlignedTable({{"name", "n"}, {"é", "10"}, {"long", "9"}}), "name   n\n----  --\né     10\nlong   9\n");
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(1234567), "1,234,567");
  EXPECT_EQ(Figure(0.123456), "0.1235");
}

}  // namespace
}  // namespace everlearn
