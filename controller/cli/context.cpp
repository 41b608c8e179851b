#include "controller/cli/context.h"

#include <array>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/handle.h"
#include "controller/keys/key_file.h"
#include "controller/secrets/store.h"
#include "controller/secrets/uses.h"

namespace relab::controller {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t passphrase_size_max = 4096;

fs::path base_folder(const char* variable, const char* below_home) {
  // The XDG base directory specification: relative paths are to be ignored.
  if (const auto* value = std::getenv(variable); value != nullptr && *value == '/') return value;
  const auto* home = std::getenv("HOME");
  return fs::path(home != nullptr && *home == '/' ? home : "/root") / below_home;
}

/// Without the end of its line.
Result<crypto::Secret> passphrase_in(const crypto::Secret& text) {
  auto size = text.size();
  while (size > 0 && (text.view()[size - 1] == '\n' || text.view()[size - 1] == '\r')) --size;
  if (size == 0) return fail(Fault::invalid, "the passphrase is empty");
  return text.first(size);
}

}  // namespace

std::optional<Message<schema::Lab>> Context::lab() {
  auto reading = lab::read_lab(globals_.lab_file);
  for (const auto& mistake : reading.mistakes) printer_.note(lab::to_string(mistake));
  if (!reading.mistakes.empty() || !reading.lab) {
    printer_.note(fmt::format("relab: {} has {} mistake{}; nothing was done", globals_.lab_file,
                              reading.mistakes.size(), reading.mistakes.size() == 1 ? "" : "s"));
    return {};
  }
  return std::move(reading.lab);
}

fs::path Context::config_dir() const {
  return globals_.config_dir.empty() ? base_folder("XDG_CONFIG_HOME", ".config") / "relab"
                                     : fs::absolute(globals_.config_dir);
}

fs::path Context::state_dir(const std::string& lab) const {
  return globals_.state_dir.empty() ? base_folder("XDG_STATE_HOME", ".local/state") / "relab" / lab
                                    : fs::absolute(globals_.state_dir);
}

KeptHead Context::kept_head(const HeadOwner& owner) const {
  return KeptHead(config_dir() /
                  fmt::format("head-{}-{}", owner.lab, hex(ByteView(owner.key).first(4))));
}

template <typename Open>
Result<Book> Context::compared_book(const HeadOwner& owner, Open open) const {
  // Before the ledger, which others may continue meanwhile.
  RELAB_TRY(const auto kept, kept_head(owner).read());
  const auto file = ledger_file(owner.lab);
  std::error_code error;
  const bool is_gone = !fs::exists(file, error) && !error;
  if (kept && is_gone) return fail(kept_head(owner).gone(file));
  RELAB_TRY(Book book, open(file));
  RELAB_CHECK(book.check_owner(owner));
  if (kept) RELAB_CHECK(kept_head(owner).compare(*kept, book.ledger(), owner));
  return book;
}

Result<Book> Context::open_book(const std::string& lab) const {
  RELAB_TRY(const auto owner, read_owner(key_file()));
  const HeadOwner ours{.lab = lab, .key = owner.sign_key};
  RELAB_TRY(auto book, compared_book(ours, [](const fs::path& file) { return Book::open(file); }));
  // What is in the ledger is so, whether its head is kept or not.
  book.on_checkpoint([this, head = kept_head(ours)](ByteView checkpoint) {
    if (const auto kept = head.keep(checkpoint); !kept)
      printer_.note(fmt::format("warning: a ledger whose end is cut off is not noticed here: {}",
                                kept.error().sentence()));
  });
  return book;
}

Result<Book> Context::looked_at(Result<Book> book) const {
  if (book && book->state().is_rehearsed())
    printer_.note("This is the ledger of a rehearsal: nothing of it was done.");
  return book;
}

Result<Book> Context::read_book(const std::string& lab) const {
  const auto owner = read_owner(key_file());
  // A copy of the ledger can be looked at where there are no keys.
  if (!owner && owner.error().fault == Fault::missing)
    return looked_at(Book::open_read_only(ledger_file(lab)));
  if (!owner) return fail(owner.error());
  return compared_book({.lab = lab, .key = owner->sign_key}, Book::open_read_only);
}

Result<crypto::Secret> Context::passphrase(const std::string& prompt) const {
  if (!globals_.passphrase_file.empty()) {
    RELAB_TRY(const auto text, read_secret(globals_.passphrase_file, passphrase_size_max)
                                   .during("reading the passphrase"));
    return passphrase_in(text).during("reading " + globals_.passphrase_file);
  }
  if (globals_.passphrase_fd >= 0) {
    RELAB_TRY(const auto text, crypto::Secret::read(globals_.passphrase_fd, passphrase_size_max)
                                   .during(fmt::format("reading the passphrase from descriptor {}",
                                                       globals_.passphrase_fd)));
    return passphrase_in(text);
  }
  RELAB_TRY(const auto text, ask(prompt));
  return passphrase_in(text);
}

Result<crypto::Secret> Context::read_secret(const std::string& path, std::size_t size_max) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file && errno == ENOENT) return fail(Fault::missing, fmt::format("there is no {}", path));
  if (!file) return fail(Fault::invalid, fmt::format("{}: {}", path, words_of(errno)));
  return crypto::Secret::read(file.get(), size_max).during("reading " + path);
}

Result<crypto::Secret> Context::ask(const std::string& prompt) const {
  const Fd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  termios shown{};
  if (!terminal || ::tcgetattr(terminal.get(), &shown) != 0)
    return fail(Fault::invalid, "a secret is needed, and there is no terminal to ask on",
                "give --passphrase-file or --passphrase-fd (for a code: --code-file)");
  auto hidden = shown;
  hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(terminal.get(), TCSAFLUSH, &hidden);
  const auto say = [&](std::string_view text) {
    return ::write(terminal.get(), text.data(), text.size()) >= 0;
  };
  say(prompt + ": ");
  crypto::Secret text(passphrase_size_max);
  std::size_t size = 0;
  while (size < text.size() && ::read(terminal.get(), &text.bytes()[size], 1) == 1 &&
         text.view()[size] != '\n')
    ++size;
  ::tcsetattr(terminal.get(), TCSAFLUSH, &shown);
  say("\n");
  return text.first(size);
}

Result<crypto::Keys> Context::keys() const {
  // First whether there are keys at all: nobody wants to type a passphrase for nothing.
  RELAB_TRY(const auto owner, read_owner(key_file()));
  RELAB_TRY(const auto secret,
            passphrase(fmt::format("Passphrase of the controller '{}'", owner.name)));
  return load_keys(key_file(), secret);
}

SecretTimes Context::secret_times(const std::string& lab) {
  SecretTimes times;
  if (const auto notes = SecretStore(secret_file()).list(lab))
    for (const auto& note : *notes) times.emplace(note.name, note.set_at);
  else
    out().note("note: " + notes.error().sentence());
  return times;
}

Evidences Context::evidences(schema::Lab::Reader lab, const State& state) {
  if (!state.is_rehearsed())
    return {.lab = lab,
            .state = state,
            .now = wall_clock(),
            .secrets = secret_times(str(lab.getName()))};
  // By the clock of the rehearsal, at whose beginning every secret was stored.
  SecretTimes stored;
  for (const auto& [name, users] : secret_users(lab)) stored.emplace(name, state.first_change());
  return {.lab = lab, .state = state, .now = state.last_change(), .secrets = std::move(stored)};
}

ExitCode Context::failed(const Error& error) {
  printer_.error(error);
  return error.fault == Fault::unreachable ? ExitCode::unreachable : ExitCode::failed;
}

}  // namespace relab::controller
