// What a hostile plugin could hurt, and whether it did: files, listeners, a process of the same user, and
// secrets that must turn up nowhere. All of it would be open to the plugin if there were no sandbox.
#pragma once

#include "host/base/json.h"

#include <sys/types.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace garland::hostile {

// A variable with a secret in it that the driver is started with.
inline constexpr char const* kEnvironmentSecret = "GARLAND_HOSTILE_SECRET";
// How every secret begins.
inline constexpr std::string_view kSecret = "GARLAND-SECRET-";

// Process ids come round again: what an earlier driver of this id left, if it was killed, stands in the way
// of the next, and as an ordinary user that one cannot remove what was root's.
void removeSceneOf(pid_t driver);

// Before any thread is started.
class Scene {
public:
  Scene();
  ~Scene();
  Scene(Scene const&) = delete;
  Scene& operator=(Scene const&) = delete;

  // What the act is told; `neighbour` is another plugin's worker.
  json::value briefing(pid_t neighbour) const;
  std::string const& neighbourSecret() const { return neighbour_secret_; }
  std::string const& folder() const { return folder_; }

  // Whatever came from the plugin: results, errors, logs, records.
  void hear(std::string_view words);
  // What was hurt or given away, one sentence each; empty if nothing.
  std::vector<std::string> harm();

private:
  void makeFiles();
  void startVictim();
  void listen();
  void harmInWords(std::vector<std::string>& out) const;
  void harmToFiles(std::vector<std::string>& out) const;
  void harmByNetwork(std::vector<std::string>& out) const;
  void harmToVictim(std::vector<std::string>& out) const;

  std::string folder_;
  std::string neighbour_secret_;
  std::map<std::string, std::string> files_; // name: contents
  std::string words_;
  std::vector<int> listeners_;
  int port_ = 0;
  pid_t victim_ = -1;
  int victim_socket_ = -1;
};

} // namespace garland::hostile
