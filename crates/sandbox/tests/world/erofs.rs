//! A bundle as an erofs image, written by hand (Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h): nothing compressed, one
//! block for each folder. So the tests need no mkfs.

const BLOCK: usize = 4096;
const FOLDER: u16 = 0o040_755;
const FILE: u16 = 0o100_755;

struct Writer(Vec<u8>);

impl Writer {
    fn put(&mut self, at: usize, bytes: &[u8]) {
        if self.0.len() < at + bytes.len() {
            self.0.resize(at + bytes.len(), 0);
        }
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    /// A compact inode without attributes, its content in whole blocks from `block` on.
    fn inode(&mut self, number: usize, mode: u16, size: usize, block: u32) {
        let at = BLOCK + number * 32;
        self.put(at + 4, &mode.to_le_bytes());
        self.put(at + 6, &2u16.to_le_bytes());
        self.put(at + 8, &(size as u32).to_le_bytes());
        self.put(at + 16, &block.to_le_bytes());
        self.put(at + 20, &(number as u32).to_le_bytes());
        self.put(at + 28, &[0; 4]);
    }

    /// A folder in one block; the names must be sorted.
    fn folder(&mut self, number: usize, block: u32, entries: &[(&str, u64, u8)]) {
        let start = block as usize * BLOCK;
        let mut name_at = entries.len() * 12;
        for (index, (name, target, kind)) in entries.iter().enumerate() {
            let at = start + index * 12;
            self.put(at, &target.to_le_bytes());
            self.put(at + 8, &(name_at as u16).to_le_bytes());
            self.put(at + 10, &[*kind, 0]);
            self.put(start + name_at, name.as_bytes());
            name_at += name.len();
        }
        self.inode(number, FOLDER, name_at, block);
    }
}

/// A bundle with `/app` and an empty `/data`.
pub fn bundle(program: &[u8]) -> Vec<u8> {
    let (root, data, app) = (1, 2, 3);
    let mut image = Writer(Vec::new());
    image.folder(root, 2, &[(".", 1, 2), ("..", 1, 2), ("app", 3, 1), ("data", 2, 2)]);
    image.folder(data, 3, &[(".", 2, 2), ("..", 1, 2)]);
    image.put(4 * BLOCK, program);
    image.inode(app, FILE, program.len(), 4);
    let blocks = image.0.len().div_ceil(BLOCK);
    image.0.resize(blocks * BLOCK, 0);
    let superblock = 1024;
    image.put(superblock, &0xe0f5_e1e2_u32.to_le_bytes());
    image.put(superblock + 12, &[12]);
    image.put(superblock + 14, &(root as u16).to_le_bytes());
    image.put(superblock + 16, &3u64.to_le_bytes());
    image.put(superblock + 36, &(blocks as u32).to_le_bytes());
    image.put(superblock + 40, &1u32.to_le_bytes());
    image.0
}
