// What is proven is that ZFS could unwrap the dataset's master key. `keystatus` proves nothing: it
// tells whether a key is loaded, whichever was given to us.

#include "agent/kinds/zfs/key_check.h"

#include <fmt/format.h>

#include "agent/kinds/support/gaps.h"
#include "agent/kinds/zfs/ask.h"
#include "common/base/text.h"

namespace relab::agent::zfs {

namespace {

using Facts = schema::ZfsKeyCheck::Facts;

/// Statuses of a program that a signal ended; 255 is ZFS's own.
constexpr int first_signal = 129;
constexpr int last_signal = 128 + 64;

Result<Properties> read_properties(Host& host, const std::string& dataset) {
  RELAB_TRY(const auto output,
            host.run({.argv = {"zfs", "get", "-Hp",
                               "encryption,encryptionroot,keystatus,keyformat,keylocation,guid",
                               dataset}}));
  if (output.status != 0 && output.err.find("does not exist") != std::string::npos)
    return fail(Fault::missing,
                fmt::format("there is no dataset '{}': {}", dataset, first_words(output)),
                "is its pool imported?");
  if (output.status != 0 || output.truncated)
    return fail(Fault::damaged, fmt::format("the dataset '{}' cannot be read: zfs get ended with "
                                            "{}: {}",
                                            dataset, output.status, first_words(output)));
  RELAB_TRY(auto all, parse_pool_properties(output.out));
  return std::move(all[dataset]);
}

/// The dataset that has the key, with its properties.
struct Root {
  std::string name;
  Properties properties;
};

Result<Root> find_root(Host& host, const std::string& dataset, const Properties& properties) {
  const auto encryption = value_of(properties, "encryption");
  if (encryption.empty())
    return fail(Fault::damaged,
                fmt::format("zfs get does not tell whether '{}' is encrypted", dataset));
  if (encryption == "off")
    return fail(
        Fault::invalid,
        fmt::format("the dataset '{}' is not encrypted: it has no key to be tried", dataset));
  Root root{.name = value_of(properties, "encryptionroot"), .properties = properties};
  if (!is_dataset(root.name))
    return fail(Fault::damaged,
                fmt::format("zfs get does not tell from where '{}' has its key", dataset));
  if (root.name == dataset) return root;
  RELAB_TRY(root.properties, read_properties(host, root.name));
  return root;
}

/// From standard input, wherever the key is read from otherwise.
Result<Output> try_key(Host& host, const Root& root, const std::string& key) {
  Command command{.argv = {"zfs", "load-key", "-n"}, .secret_input = key};
  if (value_of(root.properties, "keylocation") != "prompt")
    command.argv.insert(command.argv.end(), {"-L", "prompt"});
  command.argv.push_back(root.name);
  RELAB_TRY(auto output, host.run(command));
  if (output.status >= first_signal && output.status <= last_signal)
    return fail(Fault::damaged, fmt::format("zfs load-key was ended by the signal {}",
                                            output.status - first_signal + 1));
  if (output.truncated)
    return fail(Fault::damaged, "zfs load-key printed more than is ever read of it");
  return output;
}

}  // namespace

Result<Message<Facts>> ZfsKeyCheck::observe(Params::Reader params, Host& host) {
  const auto dataset = str(params.getDataset());
  if (!is_dataset(dataset))
    return fail(Fault::invalid, fmt::format("'{}' is no name of a dataset", dataset));
  if (params.getKey().size() == 0) return fail(Fault::invalid, "no secret is named to be tried");
  RELAB_TRY(const auto versions, read_versions(host));
  RELAB_TRY(const auto properties, read_properties(host, dataset));
  RELAB_TRY(const auto root, find_root(host, dataset, properties));
  const auto pool = pool_of(dataset);
  RELAB_TRY(const auto guid, number_of(properties, "guid"));
  RELAB_TRY(const auto pool_guid, guid_of_pool(host, pool));
  RELAB_TRY(const auto output, try_key(host, root, str(params.getKey())));
  Draft<Facts> facts;
  facts->setDataset(dataset);
  facts->setGuid(guid);
  facts->setPool(pool);
  facts->setPoolGuid(pool_guid);
  facts->setEncryptionRoot(root.name);
  facts->setKeyFormat(value_of(root.properties, "keyformat"));
  facts->setKeyStatus(value_of(root.properties, "keystatus"));
  facts->setProven(output.status == 0 && trim(output.err).empty());
  facts->setExitCode(static_cast<std::uint16_t>(output.status));
  facts->setWords(std::string(trim(output.err)));
  facts->setToolVersion(versions.tool);
  return std::move(facts).finish();
}

}  // namespace relab::agent::zfs
