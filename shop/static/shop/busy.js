// Shows how far an import is: puts the server's newest words in place, and the whole page when it is done.
const look = async () => {
  const answer = await fetch(location.href).catch(() => null);
  const page = answer && new DOMParser().parseFromString(await answer.text(), "text/html");
  const news = page && page.getElementById("busy");
  if (page && !news) return location.reload();
  if (news) document.getElementById("busy").replaceWith(document.adoptNode(news));
  setTimeout(look, 1000);
};
setTimeout(look, 1000);
