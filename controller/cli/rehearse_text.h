#pragma once

/// What a rehearsal came to: for people, for programs, and for the page.

#include <nlohmann/json.hpp>

#include "controller/cli/command.h"
#include "controller/cli/printer.h"
#include "controller/rehearsal/rehearsal.h"
#include "controller/run/driver.h"

namespace relab::controller::cli {

/// Tells only what is wrong: the rest is told once it is over, in less time than it takes to read.
class QuietNarrator final : public Narrator {
 public:
  explicit QuietNarrator(Printer& out) : out_(out) {}

  void agent_up(const std::string& /*agent*/, const Greeting& /*greeting*/) override {}
  void agent_down(const std::string& /*agent*/, const Error& /*why*/) override {}
  void step_changed(const StepRun& /*run*/) override {}
  void progress(const StepRun& /*run*/, schema::Progress::Reader /*progress*/,
                Millis /*at*/) override {}
  void still_waiting(const Engine& /*engine*/, Millis /*since*/) override {}
  void warn(const std::string& what) override { out_.note(what); }
  void enrolled(const std::string& /*agent*/, const Party& /*party*/) override {}

 private:
  Printer& out_;
};

/// Sees nothing, and passes warnings on.
class QuietOnlooker final : public rehearsal::Onlooker {
 public:
  explicit QuietOnlooker(Printer& out) : narrator_(out) {}

  Narrator& begins(const rehearsal::RehearsedPhase& /*phase*/) override { return narrator_; }
  Result<void> passes(const rehearsal::Stage& /*stage*/, const Engine& /*engine*/,
                      Millis /*since*/) override {
    return {};
  }
  void ends() override {}

 private:
  QuietNarrator narrator_;
};

/// Timeline, changes, what it rests on, what was found.
void show(const rehearsal::Rehearsal& rehearsal, Printer& out);

nlohmann::json to_json(const rehearsal::Rehearsal& rehearsal, schema::Lab::Reader lab);

/// What the page tells of a rehearsal beyond what its ledger shows.
void add_rehearsal(const rehearsal::Rehearsal& rehearsal, nlohmann::json& report);

/// As of `relab run`.
ExitCode code_of(const rehearsal::Rehearsal& rehearsal);

}  // namespace relab::controller::cli
