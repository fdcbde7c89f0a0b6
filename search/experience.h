// Experience: the trials of earlier searches, so that the next one starts better. A file of JSON lines, one line a search; and what the
// program ships with, learnt from our own runs on public data sets.
//
// An Experience is a plain value. Append and Forget hold a lock on the file, so several programs may use one at a time; a reader always
// sees whole lines. What is read is checked as if a stranger wrote it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "search/data_description.h"

namespace everlearn {

struct ExperienceTrial {
  std::string learner;
  JsonObject parameters = {};            // as ParameterValues::ToJson
  std::vector<double> fold_losses = {};  // lower is better; NaN: that fold has none
  double seconds = 0;                    // of one fit on one core
  double units = 0;                      // of one fit
  std::string status = "ok";             // "ok", "stopped", "failed"

  double loss() const;  // mean over the folds that have one; NaN where none has or the status is not "ok"
};

struct ExperienceRun {
  std::string source;  // ExperienceSource of what was read
  std::string kind;    // of the task
  std::string metric;
  DataDescription data;
  double constant_loss = 0;  // of the constant model, on the same folds
  std::vector<ExperienceTrial> trials = {};

  // Drops all but so many trials with the least loss.
  void KeepBest(size_t most);
};

class Experience {
 public:
  // Empty.
  Experience() = default;
  // Absent: empty. Lines that cannot be read are skipped and counted. Throws kPermission, kResource (larger than 256 MB).
  static Experience Load(const std::string& path);
  // What the program ships with.
  static const Experience& BuiltIn();

  // Adds a line to the file, which is made with its folders where it is absent. Returns why it could not, or "" when it is done: a search
  // goes on without. Waits at most two seconds for other writers.
  static std::string Append(const std::string& path, const ExperienceRun& run);
  // Removes the runs whose source is called `name`, with or without its ending; returns their number. Damaged lines stay. Throws
  // kPermission, kResource.
  static size_t Forget(const std::string& path, std::string_view name);
  // Appends the readable runs of one file that the other does not have yet; returns their number. Throws kNotFound, kPermission, kResource.
  static size_t Import(const std::string& from, const std::string& to);

  const std::vector<ExperienceRun>& runs() const { return runs_; }
  size_t damaged_lines() const { return damaged_lines_; }
  // Of the content: two experiences with equal runs in equal order have the same, 16 hexadecimal digits.
  std::string Hash() const;
  // The lines of a file that Load reads back equal.
  std::string Export() const;

  void Add(ExperienceRun run) { runs_.push_back(std::move(run)); }
  // These runs and those of `other` behind them.
  Experience With(const Experience& other) const;
  // Without the runs of a source, for figures that are to be honest about it.
  Experience Without(std::string_view name) const;

 private:
  std::vector<ExperienceRun> runs_;
  size_t damaged_lines_ = 0;
};

// $XDG_DATA_HOME/everlearn/experience.jsonl, ~/.local/share where that is not set; "" without a home.
std::string DefaultExperiencePath();

// What a run is called: the file without its folder; of a query or a server, only a hash, since the text may hold secrets.
std::string ExperienceSource(const std::string& source);

// Whether a source is meant by `name`: the name itself, or without .gz, .zst and the ending of its format.
bool IsSourceNamed(std::string_view source, std::string_view name);

Json ToJson(const ExperienceRun& run);
// Throws kDamaged.
ExperienceRun ExperienceRunFromJson(const Json& json);

}  // namespace everlearn
