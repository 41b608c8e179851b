#pragma once

/// What every command may need: the lab file, the folders, the keys, the printer.

#include <filesystem>
#include <optional>
#include <string>

#include "common/crypto/keys.h"
#include "controller/cli/command.h"
#include "controller/cli/printer.h"
#include "controller/gates/gate.h"
#include "controller/lab/lab.h"
#include "controller/ledger/kept_head.h"
#include "controller/run/book.h"

namespace relab::controller {

struct Globals {
  std::string lab_file;
  std::string config_dir;
  std::string state_dir;
  std::string passphrase_file;
  int passphrase_fd = -1;
};

class Context {
 public:
  Context(Globals globals, Printer& printer) : globals_(std::move(globals)), printer_(printer) {}

  Printer& out() { return printer_; }
  const Globals& globals() const { return globals_; }

  /// Prints every mistake of the file and returns nothing if there is one.
  std::optional<Message<schema::Lab>> lab();

  std::filesystem::path config_dir() const;
  std::filesystem::path key_file() const { return config_dir() / "controller.key"; }
  std::filesystem::path secret_file() const { return config_dir() / "secrets"; }
  std::filesystem::path state_dir(const std::string& lab) const;
  std::filesystem::path ledger_file(const std::string& lab) const {
    return state_dir(lab) / "ledger.db";
  }

  /// Opened to be written to, and made if there is none; its heads are kept beside the keys.
  /// Fault::conflict for another lab's or another controller's; ::damaged where it is not the
  /// ledger whose head is kept.
  Result<Book> open_book(const std::string& lab) const;
  /// To be read only, with the same faults.
  Result<Book> read_book(const std::string& lab) const;
  /// Beside the keys, one for each lab and key.
  KeptHead kept_head(const HeadOwner& owner) const;

  /// From the file or descriptor given, else asked for on the terminal. Fault::invalid if there is
  /// none of them.
  Result<crypto::Secret> passphrase(const std::string& prompt) const;
  Result<crypto::Keys> keys() const;
  /// A secret typed on the terminal, without echo; may be empty.
  Result<crypto::Secret> ask(const std::string& prompt) const;
  /// All that the file, or pipe, has.
  static Result<crypto::Secret> read_secret(const std::string& path, std::size_t size_max);

  /// Those that are stored for the lab. Where they cannot be read, it is told, and there are none.
  SecretTimes secret_times(const std::string& lab);
  /// What a gate looks at, now.
  Evidences evidences(schema::Lab::Reader lab, const State& state);

  /// Prints the error and returns `failed`.
  ExitCode failed(const Error& error);

 private:
  /// What a rehearsal has left is said to be that.
  Result<Book> looked_at(Result<Book> book) const;
  template <typename Open>
  Result<Book> compared_book(const HeadOwner& owner, Open open) const;

  Globals globals_;
  Printer& printer_;
};

}  // namespace relab::controller
