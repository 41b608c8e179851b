#pragma once

/// What every command may need: the lab file, the folders, the keys, the printer.

#include <filesystem>
#include <optional>
#include <string>

#include "common/crypto/keys.h"
#include "controller/cli/command.h"
#include "controller/cli/printer.h"
#include "controller/lab/lab.h"

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
  std::filesystem::path state_dir(const std::string& lab) const;
  std::filesystem::path ledger_file(const std::string& lab) const {
    return state_dir(lab) / "ledger.db";
  }

  /// From the file or descriptor given, else asked for on the terminal. Fault::invalid if there is
  /// none of them.
  Result<crypto::Secret> passphrase(const std::string& prompt) const;
  Result<crypto::Keys> keys() const;
  /// A secret typed on the terminal, without echo.
  Result<crypto::Secret> ask(const std::string& prompt) const;

  /// Prints the error and returns `failed`.
  ExitCode failed(const Error& error);

 private:
  Globals globals_;
  Printer& printer_;
};

}  // namespace relab::controller
