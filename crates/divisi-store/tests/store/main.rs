//! The store through its public boundary: real files, real SQLite, real small disks.

#[cfg(test)]
mod artifacts;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod damage;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod given;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod rows;
#[cfg(test)]
mod views;
