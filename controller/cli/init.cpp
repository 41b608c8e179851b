#include <array>
#include <fmt/format.h>
#include <unistd.h>

#include "controller/cli/commands.h"
#include "controller/cli/context.h"
#include "controller/keys/key_file.h"

namespace relab::controller::cli {

namespace po = boost::program_options;

namespace {

constexpr std::size_t passphrase_size_min = 8;

std::string host_name() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// Asked for twice where a person types it.
Result<crypto::Secret> new_passphrase(const Context& context) {
  RELAB_TRY(auto first, context.passphrase("New passphrase for the controller's keys"));
  if (first.size() < passphrase_size_min)
    return fail(Fault::invalid,
                fmt::format("the passphrase has fewer than {} characters", passphrase_size_min),
                "a few random words are good");
  if (!context.globals().passphrase_file.empty() || context.globals().passphrase_fd >= 0)
    return first;
  RELAB_TRY(const auto second, context.passphrase("Once more"));
  if (first.size() != second.size() ||
      sodium_memcmp(first.view().data(), second.view().data(), first.size()) != 0)
    return fail(Fault::invalid, "the two passphrases differ", "nothing was stored; try again");
  return first;
}

}  // namespace

void declare_init(po::options_description& options) {
  options.add_options()("name", po::value<std::string>(),
                        "how agents know this controller; default: this machine's name")(
      "kdf", po::value<std::string>()->default_value("moderate"),
      "work per guess at the passphrase: moderate (256 MiB, 1 s) or interactive (64 MiB)");
}

ExitCode init(const Values& values, Context& context) {
  const auto kdf = values["kdf"].as<std::string>();
  if (kdf != "moderate" && kdf != "interactive") {
    context.out().error({.fault = Fault::invalid,
                         .what = fmt::format("--kdf is moderate or interactive, not '{}'", kdf)});
    return ExitCode::usage;
  }
  const auto name = values.count("name") != 0 ? values["name"].as<std::string>() : host_name();
  if (name == rehearsing_controller) {
    context.out().error(
        {.fault = Fault::invalid,
         .what = fmt::format("the controller of every rehearsal is called '{}'", name),
         .hint = "give this one another name: --name"});
    return ExitCode::usage;
  }
  if (const auto there = read_owner(context.key_file());
      there || there.error().fault != Fault::missing)
    return context.failed(
        {.fault = Fault::conflict,
         .what = fmt::format("{} exists already", context.key_file().string()),
         .hint = "keys are never written over; move the file away to make new ones"});
  if (std::error_code error; std::filesystem::exists(context.secret_file(), error))
    return context.failed(
        {.fault = Fault::conflict,
         .what = fmt::format("{} holds secrets that only the keys of before can decrypt",
                             context.secret_file().string()),
         .hint = "put those keys back; or move that file away too, and set every secret anew"});
  const auto passphrase = new_passphrase(context);
  if (!passphrase) return context.failed(passphrase.error());
  const auto keys = crypto::Keys::make();
  const auto stored = store_keys(context.key_file(), keys, name, *passphrase,
                                 kdf == "moderate" ? Hardness::moderate : Hardness::interactive);
  if (!stored) return context.failed(stored.error());
  context.out().line(
      fmt::format("Made the keys of the controller '{}': {}", name, context.key_file().string()));
  context.out().line(fmt::format("Fingerprint {}", crypto::fingerprint(keys.sign_key())));
  context.out().line(
      "Keep a copy of that file, and the passphrase: without both, every agent must be enrolled "
      "anew.");
  context.out().value({{"name", name},
                       {"keyFile", context.key_file().string()},
                       {"fingerprint", crypto::fingerprint(keys.sign_key())}});
  return ExitCode::done;
}

}  // namespace relab::controller::cli
