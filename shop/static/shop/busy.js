// Refreshes the progress of an import every second, and reloads the page when it is done.
const refresh = async () => {
  const response = await fetch(location.href).catch(() => null);
  const page = response && new DOMParser().parseFromString(await response.text(), "text/html");
  const progress = page && page.getElementById("busy");
  if (page && !progress) return location.reload();
  if (progress) document.getElementById("busy").replaceWith(document.adoptNode(progress));
  setTimeout(refresh, 1000);
};
setTimeout(refresh, 1000);
