  // Text that the page carries packed, by gzip and base64.
  async function unpacked(id) {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).text();
  }

  async function plotlyLoaded() {
    try {
      const script = document.createElement("script");
      script.textContent = await unpacked("plotly");
      document.body.append(script);
    } catch (error) {
      for (const plot of document.querySelectorAll(".plot")) plot.textContent = "This browser cannot unpack the plots; one of 2023 or later can.";
      throw error;
    }
  }
