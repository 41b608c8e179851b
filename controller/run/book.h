#pragma once

/// The ledger with the state that it gives: whoever writes an entry sees its effect at once.
/// What cannot be replayed is never written; after a failure to write, the book is to be opened
/// anew.

#include <filesystem>
#include <functional>

#include "controller/gates/gate.h"
#include "controller/ledger/head.h"
#include "controller/ledger/ledger.h"
#include "controller/state/state.h"

namespace relab::controller {

/// What a run is to do.
struct RunWish {
  std::string phase;
  /// One track of it; empty: all of them.
  std::string track = {};
  /// Change nothing.
  bool check = false;
};

/// An agent that becomes known.
struct Enrolling {
  std::string name;
  std::string endpoint;
  Party agent;
  /// The same host as before under that name, reinstalled by the plan.
  bool reinstalled = false;
  /// The report with which its host's agent brought it; empty: a person did, by a code.
  std::optional<crypto::Digest> origin = {};
};

class Book {
 public:
  using Clock = std::function<Instant()>;

  static Result<Book> open(const std::filesystem::path& path);
  /// Entries have their time from `clock`.
  static Result<Book> open(std::unique_ptr<EntryStore> store, Clock clock);
  static Result<Book> open_read_only(const std::filesystem::path& path);

  const State& state() const { return state_; }
  const Ledger& ledger() const { return ledger_; }

  /// The first entry, if there is none yet. Fault::conflict if the ledger is another controller's
  /// or another lab's.
  Result<void> begin(const crypto::Keys& keys, const std::string& controller,
                     const std::string& lab);

  /// Fault::conflict if the ledger was begun with another key, or for another lab.
  Result<void> check_owner(const HeadOwner& owner) const;

  Result<void> enrolled(const Enrolling& enrolling);
  Result<void> removed(const std::string& name, const std::string& reason);
  Result<void> run_started(const RunId& run, const RunWish& wish, ByteView lab);
  Result<void> ordered(ByteView envelope);
  Result<void> received(ByteView envelope);
  Result<void> refused(ByteView envelope);
  Result<void> abandoned(const TaskId& task, schema::Abandoned::Reason reason,
                         const std::string& why);
  Result<void> cancel_asked(const TaskId& task);
  Result<void> cancel_asked(const RunId& run);
  Result<void> confirmed(const TaskId& task);
  /// Signed statements of a person.
  Result<void> approved(ByteView envelope);
  Result<void> waived(ByteView envelope);
  Result<void> judged(const Gate& gate);
  Result<void> run_ended(const RunId& run);
  /// A signed checkpoint over all entries so far; does nothing where the newest entry is one.
  Result<void> checkpoint(const crypto::Keys& keys);
  /// Called with the envelope of each checkpoint that is in the ledger.
  void on_checkpoint(std::function<void(ByteView)> listener) { listener_ = std::move(listener); }

 private:
  Book(Ledger ledger, State state, Clock clock = wall_clock)
      : ledger_(std::move(ledger)), state_(std::move(state)), clock_(std::move(clock)) {}
  Result<void> write(Draft<schema::Entry> entry);

  Ledger ledger_;
  State state_;
  Clock clock_;
  std::function<void(ByteView)> listener_ = [](ByteView) {};
};

}  // namespace relab::controller
