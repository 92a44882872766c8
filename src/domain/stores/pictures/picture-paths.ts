/** Where a picture is found, below the server's address. */
export function picturePaths(pictureId: string): { large: string; small: string } {
  const path = `/api/v1/pictures/${pictureId}`
  return { large: `${path}/large.webp`, small: `${path}/small.webp` }
}
